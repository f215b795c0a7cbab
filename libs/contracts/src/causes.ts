import type { Cause } from '@meterflow/readings';
import { checkCount } from './check-count.ts';
import { keyBytes, readKey } from './key-bytes.ts';
import { block, varint, type MessageFields, type MessageShape } from './message-fields.ts';
import { messageLimits } from './message-limits.ts';
import type { WireWriter } from './wire-writer.ts';

const shape: MessageShape = [undefined, block('source_id'), block('key'), varint('part'), varint('parts')];
const partsMax = 0xffff_ffff;

export function writeCause(writer: WireWriter, field: number, cause: Cause): void {
  const { mark } = writer;
  writer.unsigned(4, cause.parts);
  writer.unsigned(3, cause.part);
  writer.column(2, keyBytes(cause.key));
  writer.text(1, cause.sourceId);
  writer.message(field, mark);
}

export function writeCauses(writer: WireWriter, field: number, causes: readonly Cause[]): void {
  checkCount('causes', causes.length, messageLimits.causesMax);
  for (let index = causes.length - 1; index >= 0; index--) {
    writeCause(writer, field, causes[index] as Cause);
  }
}

/** Reads a single cause; undefined where there is none. */
export function readCause(fields: MessageFields, number: number): Cause | undefined {
  return fields.has(number) ? causeOf(fields.message(number, shape)) : undefined;
}

export function readCauses(fields: MessageFields, number: number): Cause[] {
  const causes: Cause[] = [];
  fields.each(number, (start, end, index) => {
    causes.push(causeOf(fields.entry(number, shape, { index, start, end })));
  });
  return causes;
}

function causeOf(fields: MessageFields): Cause {
  const parts = fields.unsigned(4, partsMax);
  const part = fields.unsigned(3, partsMax);
  if (part >= parts) {
    throw fields.fail(3, 'message-mismatch', `part ${part} of ${parts}`);
  }
  return { sourceId: readSourceId(fields, 1), key: readKey(fields, 2), part, parts };
}

export function readSourceId(fields: MessageFields, number: number): string {
  const sourceId = fields.text(number, messageLimits.sourceIdBytesMax);
  if (sourceId === '') {
    throw fields.fail(number, 'message-value', 'is empty');
  }
  return sourceId;
}
