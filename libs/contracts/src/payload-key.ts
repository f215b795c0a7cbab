import { hash } from 'node:crypto';

/** Names a fact: the first 128 bits of the SHA-256 of its canonical payload, as 32 hexadecimal characters. */
export function payloadKey(payload: Uint8Array): string {
  return hash('sha256', payload, 'hex').slice(0, 32);
}
