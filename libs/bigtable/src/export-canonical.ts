import { SheetCursor, type AggregateBatch, type Resolution } from '@meterflow/aggregates';
import { AggregateLines, compareSeries, ReadingLines, type NamedSeries } from '@meterflow/idempotent-writes';
import { layers } from '@meterflow/readings';
import type { BigtableAggregateStore } from './aggregates/aggregate-store.ts';
import { startMsMax } from './aggregates/sheet-cell.ts';
import type { BigtableDeadLetters } from './dead-letters/dead-letters.ts';
import type { BigtableReadingStore } from './readings/reading-store.ts';

export interface ExportedStores {
  readonly readings: (layer: 'raw' | 'validated') => BigtableReadingStore;
  readonly aggregates: BigtableAggregateStore;
  readonly deadLetters: BigtableDeadLetters;
}

const resolutions = [
  { resolution: 'day', level: 'day' },
  { resolution: 'hour', level: 'day' },
  { resolution: 'month', level: 'month' },
] as const satisfies readonly { readonly resolution: Resolution; readonly level: 'day' | 'month' }[];

/** What one read asks for. */
const spanMs = 400 * 86_400_000;

/**
 * The canonical export, as the embedded stores write it, piece by piece: whole lines by kind, tenant, meter, channel,
 * layer or resolution, start and end. Names of series are in memory, and of one series a year or so. Meant for a system
 * at rest: what is written meanwhile may be in it or not.
 */
export async function* exportLines({ readings, aggregates, deadLetters }: ExportedStores): AsyncGenerator<string> {
  for (const series of await aggregates.series()) {
    yield* aggregateLines(aggregates, series);
  }
  const letters: { readonly stage: string; readonly key: string; readonly reasonCode: string }[] = [];
  for await (const { stage, key, reasonCode } of deadLetters.standing()) {
    letters.push({ stage, key, reasonCode });
  }
  for (const { stage, key, reasonCode } of letters.sort(byStageAndKey)) {
    yield `${JSON.stringify({ kind: 'dead-letter', stage, key, reasonCode })}\n`;
  }
  for (const series of (await readings('raw').series()).toSorted(compareSeries)) {
    for (const layer of layers) {
      yield* readingLines(readings(layer), series, layer);
    }
  }
}

async function* aggregateLines(store: BigtableAggregateStore, series: NamedSeries): AsyncGenerator<string> {
  for (const { resolution, level } of resolutions) {
    const lines = new AggregateLines(series, resolution);
    const batch = await store.read({ ...series, level, fromMs: 0, toMs: startMsMax });
    yield batchLines(lines, batch);
  }
}

function batchLines(lines: AggregateLines, batch: AggregateBatch): string {
  let text = '';
  const cursor = new SheetCursor(batch);
  while (cursor.next()) {
    text += lines.lines(cursor);
  }
  return text;
}

async function* readingLines(
  store: BigtableReadingStore,
  series: NamedSeries,
  layer: 'raw' | 'validated',
): AsyncGenerator<string> {
  const lines = new ReadingLines(series, layer);
  const days = await store.daysOf(series);
  for (let fromMs = days.fromMs; fromMs < days.toMs; fromMs += spanMs) {
    const toMs = Math.min(days.toMs, fromMs + spanMs);
    for (const { columns } of await store.read({ ...series, layer, fromMs, toMs })) {
      yield lines.lines(columns);
    }
  }
}

function byStageAndKey(a: { stage: string; key: string }, b: { stage: string; key: string }): number {
  return Buffer.compare(Buffer.from(`${a.stage}\0${a.key}`), Buffer.from(`${b.stage}\0${b.key}`));
}
