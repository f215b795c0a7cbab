import { fromBinary, toBinary } from '@bufbuild/protobuf';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { messageKinds } from './testing/message-kinds.ts';

describe.each(messageKinds)('$name', ({ arbitrary, encode, decode, schema, columnsSchema }) => {
  test('decoding gives back what was encoded', () => {
    fc.assert(
      fc.property(arbitrary, (message) => {
        expect(decode(encode(message))).toEqual(message);
      }),
    );
  });

  test('the same message makes the same bytes, wherever its columns lie', () => {
    fc.assert(
      fc.property(arbitrary, fc.nat(16), (message, offset) => {
        const payload = encode(message);
        const shifted = new Uint8Array(payload.length + offset).subarray(offset);
        shifted.set(payload);
        expect(decode(shifted)).toEqual(message);
        expect(encode(decode(shifted))).toEqual(payload);
        expect(decode(Buffer.from(payload))).toEqual(message);
      }),
    );
  });

  test('both published views are written as the codec writes', () => {
    fc.assert(
      fc.property(arbitrary, (message) => {
        const payload = encode(message);
        expect(toBinary(schema, fromBinary(schema, payload))).toEqual(payload);
        expect(toBinary(columnsSchema, fromBinary(columnsSchema, payload))).toEqual(payload);
      }),
    );
  });
});
