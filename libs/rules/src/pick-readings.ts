import { channelNeeds } from './channel-flow.ts';
import type { Flow } from './flow.ts';
import {
  BatchBuilder,
  ReadingCursor,
  ReadingRow,
  RunsCursor,
  sliceBatch,
  versionAt,
  type BatchHeader,
  type ReadingBatch,
} from '@meterflow/readings';

export interface PickOptions {
  readonly header: BatchHeader;
  /** The reason that the reading gets; undefined leaves it out. */
  readonly reasonAt: (index: number, cursor: ReadingCursor) => string | undefined;
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
    const reason = reasonAt(cursor.index, cursor);
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

/**
 * The readings of a batch that go through reading flows; the batch itself where all do. The others wait until they are
 * stored: their series flows run on that. It may be empty: what follows must still hear of the batch.
 */
export function readingFlowPart(batch: ReadingBatch, flow: Flow): ReadingBatch {
  if (flow.steps.every(({ rule }) => rule.series === undefined)) {
    return batch;
  }
  const stays = batch.series.map((series) => channelNeeds(flow, series) === undefined);
  if (stays.every(Boolean)) {
    return batch;
  }
  const reasonAt = (_: number, cursor: ReadingCursor): string | undefined =>
    stays[cursor.series] === true ? cursor.reason : undefined;
  return pickReadings(batch, { header: batch, reasonAt }) ?? sliceBatch(batch, 0, 0);
}
