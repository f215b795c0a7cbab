import type { ReadingBatch } from '@meterflow/readings';
import { firstStartMs } from '../first-start.ts';
import { GroupMerger } from '../merge-group.ts';
import type { OutcomeCounts } from '../outcome.ts';
import type { ReadingStore, ReadingWrite, Segment, SeriesDays, SeriesLayer } from '../reading-store.ts';
import { SegmentColumnsReader } from '../segment-codec.ts';
import { dayMs } from '../segment-format.ts';
import { segmentWithin } from '../segment-within.ts';

/** A reading store that keeps everything in memory, for tests of what stands on one. Keeps no ledger and no history. */
export class MemoryReadingStore implements ReadingStore {
  /** Blobs by series, then day. */
  readonly blobs = new Map<string, Map<number, Uint8Array>>();
  /** Replaced readings, blobs by series and day in the order they were replaced. */
  readonly history: { readonly series: string; readonly day: number; readonly blob: Uint8Array }[] = [];
  readonly #merger: GroupMerger;
  readonly #outcomes = new Map<string, OutcomeCounts>();

  constructor(options: { readonly generalOnly?: boolean } = {}) {
    this.#merger = new GroupMerger(options);
  }

  write(writes: readonly ReadingWrite[]): Promise<readonly OutcomeCounts[]> {
    const merger = this.#merger;
    const names: string[] = [];
    const fresh = new Map(
      writes.flatMap((write) => (this.#outcomes.has(write.key) ? [] : [[write.key, write.batch] as const])),
    );
    merger.begin();
    const numbers = new Map<string, number>();
    for (const [key, batch] of fresh) {
      numbers.set(key, merger.add(batch, seriesNumbers(batch, names)));
    }
    merger.sort();
    while (merger.next()) {
      this.#mergeDay(names[merger.series] as string, merger.day);
    }
    for (const [key, number] of numbers) {
      this.#outcomes.set(key, merger.outcomes(number));
    }
    return Promise.resolve(writes.map(({ key }) => this.#outcomes.get(key) as OutcomeCounts));
  }

  read({ tenant, meter, channel, layer, fromMs, toMs }: SeriesDays): Promise<readonly Segment[]> {
    const reader = new SegmentColumnsReader();
    const days = [...(this.blobs.get(`${layer}\n${tenant}\n${meter}\n${channel}`) ?? [])].sort(([a], [b]) => a - b);
    const touched = days.filter(([day]) => (day + 1) * dayMs > fromMs && day * dayMs < toMs);
    return Promise.resolve(
      touched.flatMap(([day, blob]) =>
        reader.read(blob, day).flatMap((columns) => segmentWithin({ day, columns }, fromMs, toMs) ?? []),
      ),
    );
  }

  async firstMs(series: SeriesLayer): Promise<number | undefined> {
    return firstStartMs(await this.read({ ...series, fromMs: -Infinity, toMs: Infinity }));
  }

  #mergeDay(series: string, day: number): void {
    const days = this.blobs.get(series) ?? new Map<number, Uint8Array>();
    this.blobs.set(series, days);
    const blob = this.#merger.merge(days.get(day));
    if (blob !== undefined) {
      days.set(day, blob.slice());
    }
    const replaced = this.#merger.history();
    if (replaced !== undefined) {
      this.history.push({ series, day, blob: replaced.slice() });
    }
  }
}

function seriesNumbers({ tenant, layer, series }: ReadingBatch, names: string[]): Int32Array {
  return Int32Array.from(series, ({ meter, channel }) => {
    const name = `${layer}\n${tenant}\n${meter}\n${channel}`;
    const index = names.indexOf(name);
    return index >= 0 ? index : names.push(name) - 1;
  });
}
