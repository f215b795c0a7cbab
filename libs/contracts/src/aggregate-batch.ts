import type { AggregateBatch } from '@meterflow/aggregates';
import { decimalsMax } from '@meterflow/readings';
import { carriedFields, checkFormat, formatOf, writeCarried, type Carrier } from './carried-fields.ts';
import { readCauses, writeCauses } from './causes.ts';
import { checkSheets } from './check-sheets.ts';
import { asIntegrity } from './integrity.ts';
import { readTenant } from './layer-field.ts';
import { block, blocks, MessageFields, varint, type MessageShape } from './message-fields.ts';
import { messageLimits } from './message-limits.ts';
import { writeTexts } from './reading-columns.ts';
import { readSeries, writeSeries } from './series-names.ts';
import { levelNumber, readLevel } from './sheet-level-field.ts';
import { readRows, readSheets, writeRows, writeSheets } from './sheets-field.ts';
import { WireWriter } from './wire-writer.ts';

const shape: MessageShape = [
  undefined,
  varint('format'),
  block('tenant'),
  varint('level'),
  varint('ticket'),
  blocks('series', messageLimits.seriesMax),
  blocks('texts', messageLimits.textsMax),
  varint('decimals'),
  block('sheets'),
  block('rows'),
  blocks('causes', messageLimits.causesMax),
];

const writer = new WireWriter();

/** The batch as bytes, the same for the same batch. Throws IntegrityError where columns contradict each other. */
export function encodeAggregateBatch(batch: AggregateBatch & Carrier): Uint8Array<ArrayBuffer> {
  return asIntegrity(() => {
    checkSheets(batch);
    writer.begin();
    writeCarried(writer, batch);
    writeCauses(writer, 10, batch.causes);
    writeRows(writer, 9, batch.rows);
    writeSheets(writer, 8, batch.sheets);
    writer.unsigned(7, batch.decimals);
    writeTexts(writer, 6, batch.texts);
    writeSeries(writer, 5, batch.series);
    writer.unsigned(4, batch.ticket);
    writer.unsigned(3, levelNumber(batch.level));
    writer.text(2, batch.tenant);
    writer.unsigned(1, formatOf(batch));
    return writer.finish();
  });
}

/**
 * The batch that the bytes hold, checked in full. Its columns are views of `payload` where they can be, which must then
 * not change. Throws MalformedMessageError, whatever the bytes are.
 */
export function decodeAggregateBatch(payload: Uint8Array): AggregateBatch & Carrier {
  const fields = MessageFields.of(payload, shape);
  const format = checkFormat(fields, 1);
  const batch: AggregateBatch & Carrier = {
    tenant: readTenant(fields, 2),
    level: readLevel(fields, 3),
    ticket: fields.unsigned(4),
    series: readSeries(fields, 5),
    texts: fields.texts(6, messageLimits.textBytesMax),
    decimals: fields.unsigned(7, decimalsMax),
    sheets: readSheets(fields, 8),
    rows: readRows(fields, 9),
    causes: readCauses(fields, 10),
    ...carriedFields(fields, format),
  };
  checkSheets(batch);
  return batch;
}
