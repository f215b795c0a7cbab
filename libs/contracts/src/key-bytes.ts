import { Buffer } from 'node:buffer';
import { IntegrityError } from '@meterflow/stage';
import type { MessageFields } from './message-fields.ts';

const bytesOfKey = 16;
const keyPattern = /^[0-9a-f]{32}$/;

/** A key's 32 hexadecimal characters as the 16 bytes that travel. */
export function keyBytes(key: string): Uint8Array {
  if (!keyPattern.test(key)) {
    throw new IntegrityError(
      'message-value',
      `"${key.slice(0, 40)}" is not a key: 32 lower-case hexadecimal characters`,
    );
  }
  return Buffer.from(key, 'hex');
}

export function readKey(fields: MessageFields, number: number): string {
  const bytes = fields.block(number);
  if (bytes.length !== bytesOfKey) {
    throw fields.fail(number, 'message-mismatch', `${bytes.length} bytes, not ${bytesOfKey}`);
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
