import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { payloadKey } from './payload-key.ts';

test('a key is the first 128 bits of the SHA-256, in hexadecimal', () => {
  expect(payloadKey(new TextEncoder().encode('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223');
  const payload = Uint8Array.from({ length: 5_000 }, (_, index) => index % 251);
  expect(payloadKey(payload)).toBe(createHash('sha256').update(payload).digest('hex').slice(0, 32));
});

test('the key is of the bytes, wherever they lie', () => {
  const shifted = new Uint8Array(10).subarray(3, 6);
  shifted.set([97, 98, 99]);
  expect(payloadKey(shifted)).toBe('ba7816bf8f01cfea414140de5dae2223');
  expect(payloadKey(Buffer.from('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223');
});
