import type { StoredNotice } from '@meterflow/readings';
import { carriedFields, checkFormat, formatOf, writeCarried, type Carrier } from './carried-fields.ts';
import { readCauses, writeCauses } from './causes.ts';
import { asIntegrity } from './integrity.ts';
import { keyBytes, readKey } from './key-bytes.ts';
import { layerNumber, readLayer, readTenant } from './layer-field.ts';
import { block, blocks, MessageFields, varint, type MessageShape } from './message-fields.ts';
import { messageLimits } from './message-limits.ts';
import { checkTouched, readTouched, writeTouched } from './touched-field.ts';
import { WireWriter } from './wire-writer.ts';

const shape: MessageShape = [
  undefined,
  varint('format'),
  block('tenant'),
  varint('layer'),
  varint('activation'),
  block('key'),
  blocks('causes', messageLimits.causesMax),
  block('touched'),
];

const writer = new WireWriter();

/** The notice as bytes, the same for the same notice. Throws IntegrityError where columns contradict each other. */
export function encodeStoredNotice(notice: StoredNotice & Carrier): Uint8Array<ArrayBuffer> {
  return asIntegrity(() => {
    checkTouched(notice.touched, 'touched');
    writer.begin();
    writeCarried(writer, notice);
    writeTouched(writer, 7, notice.touched);
    writeCauses(writer, 6, notice.causes);
    writer.column(5, keyBytes(notice.key));
    writer.unsigned(4, notice.activation);
    writer.unsigned(3, layerNumber(notice.layer));
    writer.text(2, notice.tenant);
    writer.unsigned(1, formatOf(notice));
    return writer.finish();
  });
}

/** The notice that the bytes hold, checked in full. Throws MalformedMessageError, whatever the bytes are. */
export function decodeStoredNotice(payload: Uint8Array): StoredNotice & Carrier {
  const fields = MessageFields.of(payload, shape);
  const format = checkFormat(fields, 1);
  const notice: StoredNotice & Carrier = {
    tenant: readTenant(fields, 2),
    layer: readLayer(fields, 3),
    activation: fields.unsigned(4),
    key: readKey(fields, 5),
    causes: readCauses(fields, 6),
    touched: readTouched(fields, 7),
    ...carriedFields(fields, format),
  };
  checkTouched(notice.touched, 'touched');
  return notice;
}
