import {
  GroupMerger,
  noOutcomes,
  SegmentMerger,
  type OutcomeCounts,
  type ReadingWrite,
} from '@meterflow/idempotent-writes';
import type { Cause, Layer, ReadingBatch } from '@meterflow/readings';
import type { RowTable } from '../client/table.ts';
import { Turns } from '../client/turns.ts';
import type { LedgerRows } from '../ledger/ledger-rows.ts';
import { seriesPrefix, withDay } from '../rows/series-key.ts';
import type { Tombstones } from '../rows/tombstones.ts';
import { SegmentEntries, seriesNumbers, type BatchEntries } from './segment-entries.ts';
import { keyText, readStoredRows, type StoredRows } from './stored-rows.ts';

/** A gathering ends with the batch that takes it to this many readings: one read, then one write. */
const gatheredReadingsMax = 64_000;

export interface ReadingWriterParts {
  readonly table: RowTable;
  readonly ledger: Pick<LedgerRows, 'addStored'>;
  readonly layer: Layer;
  readonly tombstones: Tombstones;
}

/** One batch of a gathering. */
interface Gathered {
  readonly write: ReadingWrite;
  readonly numbers: Int32Array;
  readonly made: BatchEntries;
}

/**
 * Writes groups of batches of one layer. Several groups may be under way at the same time; they are judged and put one
 * after the other, so that within one process outcomes are exact.
 */
export class ReadingWriter {
  readonly #parts: ReadingWriterParts;
  readonly #merger = new GroupMerger();
  readonly #segments = new SegmentMerger();
  readonly #entries: SegmentEntries;
  readonly #turns = new Turns();

  constructor(parts: ReadingWriterParts) {
    this.#parts = parts;
    this.#entries = new SegmentEntries(this.#merger, parts.layer);
  }

  async write(writes: readonly ReadingWrite[]): Promise<OutcomeCounts[]> {
    const outcomes: OutcomeCounts[] = [];
    let from = 0;
    while (from < writes.length) {
      let readings = 0;
      let to = from;
      while (to < writes.length && readings < gatheredReadingsMax) {
        readings += (writes[to] as ReadingWrite).batch.columns.values.length;
        to += 1;
      }
      outcomes.push(...(await this.#writeGathered(writes.slice(from, to))));
      from = to;
    }
    return outcomes;
  }

  /**
   * The order matters: 1. what is there, which the outcomes are judged by; 2. the segments, all of them durable; 3. the
   * ledger, whose rows say that they are. Ended in between, the message comes again: its segments are the same cells.
   */
  async #writeGathered(writes: readonly ReadingWrite[]): Promise<OutcomeCounts[]> {
    const { layer, ledger } = this.#parts;
    const outcomes = await this.#turns.take(() => this.#judgeAndPut(writes));
    // 3.
    return ledger.addStored(
      writes.map(({ key, batch }, index) => ({
        cause: causeOf(key, batch),
        writeKey: key,
        layer,
        counts: outcomes[index] ?? noOutcomes,
      })),
    );
  }

  async #judgeAndPut(writes: readonly ReadingWrite[]): Promise<OutcomeCounts[]> {
    const { table, layer, tombstones } = this.#parts;
    let gathered = writes.map((write) => this.#gather(write));
    const rows = gathered.flatMap(({ made }) => made.rows);
    const tenants = new Set(writes.map(({ batch }) => batch.tenant));
    // 1.
    const stored = await readStoredRows(table, { layer, tombstones }, { rows, tenants });
    gathered = await this.#withoutErased(gathered, stored);
    const outcomes = this.#judge(gathered, stored);
    // 2.
    await table.mutateEncoded(gathered.flatMap(({ made }) => made.entries));
    return outcomes;
  }

  #gather(write: ReadingWrite, isErased?: (series: number) => boolean): Gathered {
    const numbers = seriesNumbers(write.batch, isErased);
    return { write, numbers, made: this.#entries.encode(write.batch, numbers) };
  }

  /** Leaves out what is of erased series. Nearly always every batch was accepted after its tenant's newest erasure. */
  async #withoutErased(gathered: readonly Gathered[], { erased }: StoredRows): Promise<Gathered[]> {
    const { table, tombstones } = this.#parts;
    const left: Gathered[] = [];
    for (const one of gathered) {
      const { batch } = one.write;
      const ofTenant = erased.get(batch.tenant);
      if (ofTenant === undefined || batch.acceptedAtMs > ofTenant.newest) {
        left.push(one);
        continue;
      }
      const erasedTo = await tombstones.ofSeries(table, batch);
      left.push(this.#gather(one.write, (series) => batch.acceptedAtMs <= Math.max(ofTenant.all, erasedTo(series))));
    }
    return left;
  }

  /** Judges against what is stored and, within the group, batch by batch. Nothing to judge by: each by itself. */
  #judge(gathered: readonly Gathered[], { segments }: StoredRows): OutcomeCounts[] {
    if (segments.size === 0 && !overlap(gathered)) {
      return gathered.map(({ made }) => made.outcomes);
    }
    const merger = this.#merger;
    const prefixes: Buffer[] = [];
    const numbers = new Map<string, number>();
    merger.begin();
    const added = gathered.map(({ write, numbers: ofBatch }) =>
      merger.add(write.batch, groupNumbers(write.batch, { ofBatch, numbers, prefixes })),
    );
    merger.sort();
    while (merger.next()) {
      const key = keyText(withDay(prefixes[merger.series] as Buffer, merger.day));
      const blobs = segments.get(key) ?? [];
      merger.merge(blobs.length === 0 ? undefined : this.#segments.latest(blobs, merger.day));
    }
    return added.map((number) => merger.outcomes(number));
  }
}

/** True where two batches touch one row. */
function overlap(gathered: readonly Gathered[]): boolean {
  if (gathered.length === 1) {
    return false;
  }
  const keys = new Set<string>();
  let rows = 0;
  for (const { made } of gathered) {
    for (const { key } of made.rows) {
      keys.add(keyText(key));
      rows += 1;
    }
  }
  return keys.size < rows;
}

interface GroupNumbering {
  readonly ofBatch: Int32Array;
  /** By the series' prefix; filled. */
  readonly numbers: Map<string, number>;
  readonly prefixes: Buffer[];
}

function groupNumbers({ tenant, series }: ReadingBatch, { ofBatch, numbers, prefixes }: GroupNumbering): Int32Array {
  return ofBatch.map((own, index) => {
    if (own < 0) {
      return own;
    }
    const prefix = seriesPrefix({ tenant, ...(series[index] as ReadingBatch['series'][number]) });
    const text = keyText(prefix);
    let number = numbers.get(text);
    if (number === undefined) {
      number = prefixes.push(prefix) - 1;
      numbers.set(text, number);
    }
    return number;
  });
}

/** The accepted batch that a batch goes back to: itself, where it says none. */
function causeOf(key: string, { cause, sourceId }: ReadingBatch): Cause {
  return cause ?? { sourceId, key, part: 0, parts: 1 };
}
