import {
  BatchBuilder,
  ReadingCursor,
  ReadingRow,
  RunsCursor,
  versionAt,
  type BatchHeader,
  type ReadingBatch,
} from '@meterflow/readings';

export interface PickOptions {
  readonly header: BatchHeader;
  /** The reason that the reading gets; undefined leaves it out. */
  readonly reasonAt: (index: number) => string | undefined;
}

/** Some readings of a batch as a batch of their own, each with a reason; undefined when none is picked. */
export function pickReadings(batch: ReadingBatch, { header, reasonAt }: PickOptions): ReadingBatch | undefined {
  const builder = new BatchBuilder(batch.columns.values.length);
  const row = new ReadingRow();
  const cursor = new ReadingCursor(batch.columns);
  const deltas = new RunsCursor(batch.lineDeltas);
  row.line = batch.firstLine;
  row.decimals = batch.columns.decimals;
  while (cursor.next()) {
    row.line += deltas.at(cursor.index);
    const reason = reasonAt(cursor.index);
    if (reason !== undefined) {
      const series = batch.series[cursor.series] as ReadingBatch['series'][number];
      row.series = builder.series(series.meter, series.channel);
      row.startMs = cursor.startMs;
      row.lengthMs = cursor.lengthMs;
      row.integer = cursor.integer;
      row.quality = cursor.qualityCode;
      row.unit = builder.text(cursor.unit);
      row.code = builder.text(cursor.code);
      row.method = builder.text(cursor.method);
      row.reason = builder.text(reason);
      row.version = builder.version(versionAt(batch.columns.versions, cursor.versionIndex));
      builder.append(row);
    }
  }
  const { tenant, layer, sourceId, acceptedAtMs, activation, cause } = header;
  return builder.count === 0
    ? undefined
    : builder.finish({ tenant, layer, sourceId, acceptedAtMs, activation, ...(cause === undefined ? {} : { cause }) });
}
