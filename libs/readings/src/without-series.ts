import { BatchBuilder, ReadingRow } from './batch-builder.ts';
import type { SeriesName } from './identifiers.ts';
import { readingCount, type ReadingBatch } from './reading-batch.ts';
import { ReadingCursor } from './reading-cursor.ts';
import { RunsCursor } from './runs.ts';
import { versionAt } from './version.ts';

/** The batch without the readings and the names of some series; undefined where nothing else is in it. */
export function withoutSeries(batch: ReadingBatch, isGone: (series: SeriesName) => boolean): ReadingBatch | undefined {
  const gone = batch.series.map(isGone);
  const builder = new BatchBuilder(readingCount(batch));
  const cursor = new ReadingCursor(batch.columns);
  const lineDeltas = new RunsCursor(batch.lineDeltas);
  const row = new ReadingRow();
  row.line = batch.firstLine;
  while (cursor.next()) {
    row.line += lineDeltas.at(cursor.index);
    if (gone[cursor.series] === false) {
      append(builder, row, { cursor, batch });
    }
  }
  if (builder.count === 0) {
    return undefined;
  }
  const { tenant, layer, sourceId, acceptedAtMs, activation, cause } = batch;
  return builder.finish({
    tenant,
    layer,
    sourceId,
    acceptedAtMs,
    activation,
    ...(cause === undefined ? {} : { cause }),
  });
}

function append(
  builder: BatchBuilder,
  row: ReadingRow,
  { cursor, batch: { series, columns } }: { readonly cursor: ReadingCursor; readonly batch: ReadingBatch },
): void {
  const { meter, channel } = series[cursor.series] as SeriesName;
  row.series = builder.series(meter, channel);
  row.startMs = cursor.startMs;
  row.lengthMs = cursor.lengthMs;
  row.integer = cursor.integer;
  row.decimals = columns.decimals;
  row.quality = cursor.qualityCode;
  row.unit = builder.text(cursor.unit);
  row.code = builder.text(cursor.code);
  row.method = builder.text(cursor.method);
  row.reason = builder.text(cursor.reason);
  row.version = builder.version(versionAt(columns.versions, cursor.versionIndex));
  builder.append(row);
}
