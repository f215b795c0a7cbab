import type { AggregatesStored } from '@meterflow/aggregates';
import { carriedFields, checkFormat, formatOf, writeCarried, type Carrier } from './carried-fields.ts';
import { readCauses, writeCauses } from './causes.ts';
import { asIntegrity } from './integrity.ts';
import { keyBytes, readKey } from './key-bytes.ts';
import { readTenant } from './layer-field.ts';
import { block, blocks, MessageFields, varint, type MessageShape } from './message-fields.ts';
import { messageLimits } from './message-limits.ts';
import { levelNumber, readLevel } from './sheet-level-field.ts';
import { checkTouched, readTouched, writeTouched } from './touched-field.ts';
import { WireWriter } from './wire-writer.ts';

const shape: MessageShape = [
  undefined,
  varint('format'),
  block('tenant'),
  varint('level'),
  block('key'),
  blocks('causes', messageLimits.causesMax),
  block('touched'),
];

const writer = new WireWriter();

/** The notice as bytes, the same for the same notice. Throws IntegrityError where columns contradict each other. */
export function encodeAggregatesStored(notice: AggregatesStored & Carrier): Uint8Array<ArrayBuffer> {
  return asIntegrity(() => {
    checkTouched(notice.touched, 'touched');
    writer.begin();
    writeCarried(writer, notice);
    writeTouched(writer, 6, notice.touched);
    writeCauses(writer, 5, notice.causes);
    writer.column(4, keyBytes(notice.key));
    writer.unsigned(3, levelNumber(notice.level));
    writer.text(2, notice.tenant);
    writer.unsigned(1, formatOf(notice));
    return writer.finish();
  });
}

/** The notice that the bytes hold, checked in full. Throws MalformedMessageError, whatever the bytes are. */
export function decodeAggregatesStored(payload: Uint8Array): AggregatesStored & Carrier {
  const fields = MessageFields.of(payload, shape);
  const format = checkFormat(fields, 1);
  const notice: AggregatesStored & Carrier = {
    tenant: readTenant(fields, 2),
    level: readLevel(fields, 3),
    key: readKey(fields, 4),
    causes: readCauses(fields, 5),
    touched: readTouched(fields, 6),
    ...carriedFields(fields, format),
  };
  checkTouched(notice.touched, 'touched');
  return notice;
}
