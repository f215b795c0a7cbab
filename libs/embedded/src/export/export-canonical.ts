import { setImmediate } from 'node:timers/promises';
import { SheetCursor, type AggregateBatch, type Resolution, type SheetLevel } from '@meterflow/aggregates';
import { AggregateLines, ReadingLines, type NamedSeries } from '@meterflow/idempotent-writes';
import type { Layer } from '@meterflow/readings';
import { openDeadLetterFile } from '../bus/dead-letter-file.ts';
import { dataDirectory, type DataDirectory } from '../data-directory.ts';
import { openAggregateStore, type EmbeddedAggregateStore } from '../stores/aggregate-store.ts';
import { openReadingStore, type EmbeddedReadingStore } from '../stores/reading-store.ts';
import { seriesOf, SeriesStream } from './series-streams.ts';

export interface CanonicalExport {
  /** The data directory's root. */
  readonly directory: string;
  /** Takes whole lines, in order; the export waits for it. */
  readonly write: (lines: string) => Promise<void> | void;
}

/** What one write takes at the least, but for the last. */
const writeCharsMin = 1024 * 1024;

/**
 * Writes what "the same end state" means: one JSON line for each latest reading of either layer, each aggregate and
 * each dead letter, with canonical decimals, qualities and declared versions, and without anything that depends on when
 * or in which order work was done. Sorted by kind, tenant, meter, channel, layer or resolution, start and end. A page
 * of one series is in memory at a time. Meant for a store at rest: what is written meanwhile may be in it or not.
 */
export async function exportCanonical({ directory, write }: CanonicalExport): Promise<void> {
  const files = dataDirectory(directory);
  let waiting = '';
  for (const lines of allLines(files)) {
    waiting += lines;
    if (waiting.length >= writeCharsMin) {
      await write(waiting);
      waiting = '';
      await setImmediate();
    }
  }
  if (waiting !== '') {
    await write(waiting);
  }
}

function* allLines(files: DataDirectory): Generator<string> {
  yield* aggregateLines(files);
  yield* deadLetterLines(files);
  yield* readingLines(files);
}

interface SeriesBatch {
  readonly series: NamedSeries;
  readonly batch: AggregateBatch;
}

function* aggregateLines(files: DataDirectory): Generator<string> {
  const store = openAggregateStore({ file: files.store('aggregates') });
  try {
    const stream = (level: SheetLevel): SeriesStream<SeriesBatch> => new SeriesStream(seriesBatches(store, level));
    // Hours and days are in the same sheets, but all days of a series come before its hours.
    const resolutions: readonly (readonly [Resolution, SeriesStream<SeriesBatch>])[] = [
      ['day', stream('day')],
      ['hour', stream('day')],
      ['month', stream('month')],
    ];
    for (const series of seriesOf(resolutions.map(([, sheets]) => sheets))) {
      for (const [resolution, sheets] of resolutions) {
        const lines = new AggregateLines(series, resolution);
        for (const { batch } of sheets.of(series)) {
          yield batchLines(lines, batch);
        }
      }
    }
  } finally {
    store.close();
  }
}

/** Each batch holds sheets of one series. */
function* seriesBatches(store: EmbeddedAggregateStore, level: SheetLevel): Generator<SeriesBatch> {
  for (const batch of store.batches(level)) {
    const [series] = batch.series;
    if (series !== undefined) {
      yield { series: { tenant: batch.tenant, ...series }, batch };
    }
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

function* deadLetterLines(files: DataDirectory): Generator<string> {
  const database = openDeadLetterFile(files);
  try {
    const letters = database.prepare(
      `select stage, key, reasonCode from letters where state <> 'purged' order by stage, key`,
    );
    for (const { stage, key, reasonCode } of letters.iterate()) {
      yield `${JSON.stringify({ kind: 'dead-letter', stage, key, reasonCode })}\n`;
    }
  } finally {
    database.close();
  }
}

function* readingLines(files: DataDirectory): Generator<string> {
  const open = (layer: Layer): EmbeddedReadingStore => openReadingStore({ file: files.store(layer), layer });
  const stores = [open('raw'), open('validated')] as const;
  try {
    const layers = [
      ['raw', new SeriesStream(stores[0].segments())],
      ['validated', new SeriesStream(stores[1].segments())],
    ] as const;
    for (const series of seriesOf(layers.map(([, segments]) => segments))) {
      for (const [layer, segments] of layers) {
        const lines = new ReadingLines(series, layer);
        for (const { segment } of segments.of(series)) {
          yield lines.lines(segment.columns);
        }
      }
    }
  } finally {
    for (const store of stores) {
      store.close();
    }
  }
}
