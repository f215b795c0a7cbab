import { MalformedMessageError } from './malformed-message-error.ts';
import type { MessageFields } from './message-fields.ts';
import type { WireWriter } from './wire-writer.ts';

/** The format of messages that this build writes. */
export const messageFormat = 1;
/** The newest format that it reads: one ahead of its own, which may only have added fields. */
export const messageFormatMax = messageFormat + 1;

/** What a newer build said in a message beyond what this one knows: its format, and its fields with their tags. */
export interface CarriedFields {
  readonly format: number;
  readonly fields: Uint8Array;
}

/**
 * A message that may hold what a newer build added. Whoever makes one message from another by spreading it passes that
 * on, and encoding writes it again, so that the bytes are those that came. Kept are the fields of the message itself,
 * not those of the messages nested in it: what a newer build wants to survive it adds at the top.
 */
export interface Carrier {
  readonly carried?: CarriedFields;
}

/** Refuses a message of a format that this build can't read, before anything else of it is read. */
export function checkFormat(fields: MessageFields, number: number): number {
  const format = fields.unsigned(number);
  if (format < 1 || format > messageFormatMax) {
    throw new MalformedMessageError(
      'message-format',
      fields.pathOf(number),
      `format ${format}; this build reads 1 to ${messageFormatMax}`,
    );
  }
  return format;
}

export function carriedFields(fields: MessageFields, format: number): Carrier {
  const unknown = fields.unknown();
  return unknown.length === 0 && format === messageFormat ? {} : { carried: { format, fields: unknown } };
}

/** Call it first: what is unknown follows all that is known. */
export function writeCarried(writer: WireWriter, carrier: Carrier): void {
  if (carrier.carried !== undefined) {
    writer.raw(carrier.carried.fields);
  }
}

export function formatOf(carrier: Carrier): number {
  return carrier.carried?.format ?? messageFormat;
}
