import type { ReadingBatch } from '@meterflow/readings';
import { carriedFields, checkFormat, formatOf, writeCarried, type Carrier } from './carried-fields.ts';
import { checkCount } from './check-count.ts';
import { readCause, readSourceId, writeCause } from './causes.ts';
import { asIntegrity } from './integrity.ts';
import { isInstant } from './check-spans.ts';
import { layerNumber, readLayer, readTenant } from './layer-field.ts';
import { MalformedMessageError } from './malformed-message-error.ts';
import { block, blocks, fixed64, MessageFields, varint, type MessageShape } from './message-fields.ts';
import { messageLimits } from './message-limits.ts';
import { checkColumns, readColumns, writeColumns } from './reading-columns.ts';
import { checkRuns, readRuns, writeRuns } from './runs-field.ts';
import { readSeries, writeSeries } from './series-names.ts';
import { WireWriter } from './wire-writer.ts';

const shape: MessageShape = [
  undefined,
  varint('format'),
  block('tenant'),
  varint('layer'),
  block('source_id'),
  fixed64('accepted_at_ms'),
  varint('activation'),
  block('cause'),
  blocks('series', messageLimits.seriesMax),
  block('columns'),
  varint('first_line'),
  block('line_deltas'),
];

const writer = new WireWriter();

/**
 * The batch as bytes: the same batch makes the same bytes, in this and in any later process, since their hash is its
 * key. Throws IntegrityError where columns contradict each other or a limit is passed; that names are names is for
 * whoever made the batch to know.
 */
export function encodeReadingBatch(batch: ReadingBatch & Carrier): Uint8Array<ArrayBuffer> {
  return asIntegrity(() => {
    checkReadingBatch(batch);
    writer.begin();
    writeCarried(writer, batch);
    writeRuns(writer, 11, batch.lineDeltas);
    writer.unsigned(10, batch.firstLine);
    writeColumns(writer, 9, batch.columns);
    writeSeries(writer, 8, batch.series);
    if (batch.cause !== undefined) {
      writeCause(writer, 7, batch.cause);
    }
    writer.unsigned(6, batch.activation);
    writer.double(5, batch.acceptedAtMs);
    writer.text(4, batch.sourceId);
    writer.unsigned(3, layerNumber(batch.layer));
    writer.text(2, batch.tenant);
    writer.unsigned(1, formatOf(batch));
    return writer.finish();
  });
}

/**
 * The batch that the bytes hold, checked in full. Its columns are views of `payload` where they can be, which must then
 * not change. Throws {@link MalformedMessageError}, whatever the bytes are.
 */
export function decodeReadingBatch(payload: Uint8Array): ReadingBatch & Carrier {
  const fields = MessageFields.of(payload, shape);
  const format = checkFormat(fields, 1);
  const cause = readCause(fields, 7);
  const batch: ReadingBatch & Carrier = {
    tenant: readTenant(fields, 2),
    layer: readLayer(fields, 3),
    sourceId: readSourceId(fields, 4),
    acceptedAtMs: fields.double(5),
    activation: fields.unsigned(6),
    ...(cause === undefined ? {} : { cause }),
    series: readSeries(fields, 8),
    columns: readColumns(fields, 9),
    firstLine: fields.unsigned(10),
    lineDeltas: readRuns(fields, 11, messageLimits.readingsMax),
    ...carriedFields(fields, format),
  };
  checkReadingBatch(batch);
  return batch;
}

/** What both sides hold a batch to. Names, texts and values are checked where they are read. */
function checkReadingBatch(batch: ReadingBatch): void {
  const { lineDeltas, firstLine, acceptedAtMs, columns } = batch;
  if (!isInstant(acceptedAtMs) || acceptedAtMs < 0) {
    throw new MalformedMessageError('message-value', 'accepted_at_ms', `${acceptedAtMs} is not an instant`);
  }
  checkCount('series', batch.series.length, messageLimits.seriesMax);
  checkColumns(columns, batch.series.length);
  checkRuns(lineDeltas, 'line_deltas', { count: columns.values.length, valuesEnd: 2 ** 32 });
  if ((lineDeltas.values[0] ?? 0) !== 0) {
    throw new MalformedMessageError('message-value', 'line_deltas.values[0]', 'the first delta is not 0');
  }
  const lastLine = lineDeltas.ends.reduce(
    (line, end, run) => line + (end - (lineDeltas.ends[run - 1] ?? 0)) * (lineDeltas.values[run] as number),
    firstLine,
  );
  if (!Number.isSafeInteger(lastLine)) {
    throw new MalformedMessageError('message-value', 'line_deltas', `lines up to ${lastLine}`);
  }
}
