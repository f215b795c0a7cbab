import { IntegrityError, PermanentError } from '@meterflow/stage';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MalformedMessageError } from './malformed-message-error.ts';
import { messageLimits } from './message-limits.ts';
import { goldenMessages } from './testing/golden-messages.ts';
import { messageKinds, type MessageKind } from './testing/message-kinds.ts';
import { blockField, field, join, varintBytes } from './testing/wire-bytes.ts';

const goldens = goldenMessages();
const bytesPerNumber = 8;

/** What decoding came to: a message, or a clear error. Anything else (a TypeError, say) fails the test that asks. */
function outcomeOf(kind: MessageKind, payload: Uint8Array): 'message' | MalformedMessageError {
  try {
    kind.decode(payload);
    return 'message';
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedMessageError);
    expect(error).toBeInstanceOf(PermanentError);
    return error as MalformedMessageError;
  }
}

/** Decodes and returns how many bytes of memory that took, of columns and of objects together. */
function bytesTaken(kind: MessageKind, payload: Uint8Array): number {
  const before = process.memoryUsage();
  outcomeOf(kind, payload);
  const after = process.memoryUsage();
  return after.arrayBuffers - before.arrayBuffers + (after.heapUsed - before.heapUsed);
}

/** Room for the decoder's own small objects; beyond it memory is in proportion to the payload. */
const bytesOfDecoder = 4 * 1024 * 1024;
const bytesPerPayloadByte = 64;

describe.each(goldens)('$name', ({ kind, payload }) => {
  test('cut off anywhere is an error or, between two fields, a message without the last ones', () => {
    for (let length = 0; length < payload.length; length++) {
      const outcome = outcomeOf(kind, payload.subarray(0, length));
      if (outcome === 'message') {
        expect(payload.subarray(0, length)).toEqual(kind.encode(kind.decode(payload.subarray(0, length))));
      }
    }
  });

  test('with any one byte changed is a message or a clear error', () => {
    const changed = payload.slice();
    for (let index = 0; index < payload.length; index++) {
      for (const byte of [0, 1, 0x7f, 0x80, 0xff, (payload[index] as number) ^ 0x08]) {
        changed[index] = byte;
        outcomeOf(kind, changed);
      }
      changed[index] = payload[index] as number;
    }
  });

  test('with bytes after its end is an error or carries them', () => {
    expect(outcomeOf(kind, join(payload, Uint8Array.of(0)))).toMatchObject({ code: 'message-wire-type' });
    expect(outcomeOf(kind, join(payload, Uint8Array.of(0xff)))).toMatchObject({ code: 'message-truncated' });
    expect(outcomeOf(kind, join(payload, payload))).toMatchObject({ code: 'message-repeated-field', path: 'format' });
  });
});

describe.each(messageKinds)('$name', (kind) => {
  test('random bytes are never more than a clear error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        outcomeOf(kind, bytes);
      }),
      { numRuns: 1_000 },
    );
  });

  test('a damaged message is a message or a clear error, and takes memory in proportion to its bytes', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(kind.arbitrary, damage, (message, places) => {
        const payload = kind.encode(message);
        places.forEach(([place, byte]) => {
          payload[place % payload.length] = byte;
        });
        expect(bytesTaken(kind, payload)).toBeLessThan(bytesOfDecoder + payload.length * bytesPerPayloadByte);
      }),
      { numRuns: 100 },
    );
  });

  test('whatever decodes, damaged or not, encodes again, to bytes that stay the same from then on', () => {
    fc.assert(
      fc.property(kind.arbitrary, fc.tuple(fc.nat(), fc.nat(255)), (message, [place, byte]) => {
        const payload = kind.encode(message);
        payload[place % payload.length] = byte;
        if (outcomeOf(kind, payload) === 'message') {
          const encoded = kind.encode(kind.decode(payload));
          expect(kind.encode(kind.decode(encoded))).toEqual(encoded);
        }
      }),
      { numRuns: 150 },
    );
  });

  test('messages put together from pieces of others are a message or a clear error', () => {
    const cut = fc.tuple(fc.nat(), fc.nat());
    fc.assert(
      fc.property(kind.arbitrary, kind.arbitrary, cut, (one, other, [head, tail]) => {
        const [first, second] = [kind.encode(one), kind.encode(other)];
        const payload = join(first.subarray(0, head % first.length), second.subarray(tail % second.length));
        outcomeOf(kind, payload);
      }),
      { numRuns: 100 },
    );
  });

  test('a payload over the limit is refused unread', () => {
    const payload = new Uint8Array(messageLimits.payloadBytesMax + 1).fill(0xff);
    expect(outcomeOf(kind, payload)).toMatchObject({ code: 'message-too-large', path: '' });
  });
});

const batchKind = messageKinds[0]!;
const prefix = field(1, 0, varintBytes(1));
const header = join(
  prefix,
  blockField(2, new TextEncoder().encode('acme')),
  field(3, 0, varintBytes(1)),
  blockField(4, new TextEncoder().encode('a.1')),
);

test.each<[string, Uint8Array]>([
  ['a block longer than the message', blockField(2, new Uint8Array(3), 4)],
  ['a block of 4 GB', blockField(9, new Uint8Array(3), 2 ** 32)],
  ['a block of 2^63 bytes', blockField(9, new Uint8Array(3), 2n ** 63n)],
  ['a number that does not end', field(6, 0, Uint8Array.of(0x80, 0x80))],
  ['a double of 7 bytes', field(5, 1, new Uint8Array(7))],
  ['a tag that does not end', Uint8Array.of(0x80)],
])('%s is truncated', (_, bytes) => {
  expect(outcomeOf(batchKind, join(prefix, bytes))).toMatchObject({ code: 'message-truncated' });
});

test.each<[string, Uint8Array, string]>([
  ['a text as a number', field(2, 0, varintBytes(1)), 'tenant'],
  ['a number as a block', blockField(6, new Uint8Array(1)), 'activation'],
  ['a double as a number of 4 bytes', field(5, 5, new Uint8Array(4)), 'accepted_at_ms'],
  ['a group', join(field(90, 3), field(90, 4)), ''],
  ['wire type 6', field(90, 6), ''],
  ['wire type 7', field(90, 7), ''],
  ['field number 0', field(0, 0, varintBytes(1)), ''],
  ['a tag beyond 32 bits', varintBytes(2n ** 35n), ''],
  ['a number of 11 bytes', field(6, 0, new Uint8Array(11).fill(0x80)), ''],
])('%s has a wrong wire type', (_, bytes, path) => {
  expect(outcomeOf(batchKind, join(prefix, bytes))).toMatchObject({ code: 'message-wire-type', path });
});

test('a column written number by number, as before proto3, is refused', () => {
  const columns = blockField(9, field(3, 5, new Uint8Array(4)));
  expect(outcomeOf(batchKind, join(header, columns))).toMatchObject({
    code: 'message-wire-type',
    path: 'columns.values_narrow',
  });
});

test('messages nested without end are unknown bytes, read over at one level', () => {
  let nested = new Uint8Array(0);
  for (let depth = 0; depth < 2_000; depth++) {
    nested = blockField(60, nested) as Uint8Array<ArrayBuffer>;
  }
  const payload = join(goldens[0]!.payload, nested);
  expect(batchKind.decode(payload)).toMatchObject({ carried: { fields: nested } });
});

describe('limits', () => {
  const fill = (bytes: Uint8Array, count: number): Uint8Array => Buffer.alloc(bytes.length * count, bytes);
  const name = join(blockField(1, Uint8Array.of(0x61)), blockField(2, Uint8Array.of(0x62)));

  test.each<[string, Uint8Array, string]>([
    ['series', fill(blockField(8, name), messageLimits.seriesMax + 1), 'series'],
    ['texts', blockField(9, fill(blockField(12, new Uint8Array(0)), messageLimits.textsMax + 1)), 'columns.texts'],
    [
      'readings',
      blockField(
        9,
        join(
          ...[1, 5].map((number) => blockField(number, new Uint8Array(0))),
          blockField(3, new Uint8Array(4 * messageLimits.readingsMax + 4)),
        ),
      ),
      'columns.values_narrow',
    ],
    [
      'versions',
      blockField(
        9,
        join(
          ...[1, 5, 6].map((number) => blockField(number, new Uint8Array(0))),
          blockField(7, blockField(1, new Uint8Array(bytesPerNumber * (messageLimits.versionsMax + 1)))),
        ),
      ),
      'columns.versions.declared',
    ],
    ['a source id', blockField(4, new Uint8Array(messageLimits.sourceIdBytesMax + 1).fill(0x61)), 'source_id'],
  ])('too many or too long: %s', (what, bytes, path) => {
    const start = what === 'a source id' ? header.subarray(0, header.length - 5) : header;
    expect(outcomeOf(batchKind, join(start, bytes))).toMatchObject({ code: 'message-limit', path });
  });

  test('a payload full of the smallest fields takes memory in proportion to its bytes', () => {
    for (const one of [
      blockField(90, new Uint8Array(0)),
      field(90, 0, varintBytes(1)),
      blockField(8, new Uint8Array(0)),
    ]) {
      const payload = join(header, fill(one, Math.floor((messageLimits.payloadBytesMax - 100) / one.length)));
      expect(bytesTaken(batchKind, payload)).toBeLessThan(bytesOfDecoder + 8 * payload.length);
    }
  });

  test('an encoder makes nothing that a decoder would refuse for its size', () => {
    const text = 'x'.repeat(messageLimits.textBytesMax);
    const [many] = goldens;
    const batch = many!.message as { columns: { texts: string[] } };
    const withTexts = (texts: string[]): object => ({ ...batch, columns: { ...batch.columns, texts } });
    const full = withTexts(['', ...Array<string>(4_000).fill(text)]);
    expect(outcomeOf(batchKind, batchKind.encode(full))).toBe('message');
    const refusal = (code: string): unknown => expect.objectContaining({ code, name: 'IntegrityError' });
    expect(() => batchKind.encode(withTexts(['', ...Array<string>(5_000).fill(text)]))).toThrow(
      refusal('message-too-large'),
    );
    expect(() => batchKind.encode(withTexts(['', `${text}x`, 'a', 'b']))).toThrow(refusal('message-limit'));
    expect(() => batchKind.encode(withTexts(['', `${text}x`, 'a', 'b']))).toThrow(IntegrityError);
  });
});
