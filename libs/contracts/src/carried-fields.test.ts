import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { sliceBatch } from '@meterflow/readings';
import { describe, expect, test } from 'vitest';
import { MalformedMessageError } from './malformed-message-error.ts';
import { decodeReadingBatch, encodeReadingBatch } from './reading-batch.ts';
import { goldenMessages, type GoldenMessage } from './testing/golden-messages.ts';
import { blockField, field, join, varintBytes } from './testing/wire-bytes.ts';

const goldens = goldenMessages();
const batches = goldens.filter(({ kind }) => kind.name === 'ReadingBatch');

/** Every wire type, numbers of one and of several bytes, and one of them twice. */
const added = join(
  field(100, 0, varintBytes(2n ** 63n)),
  field(101, 1, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)),
  blockField(102, new TextEncoder().encode('from a newer build')),
  blockField(102, new Uint8Array(0)),
  field(536_870_911, 5, Uint8Array.of(1, 2, 3, 4)),
);

/** The message as a newer build would send it: `format` is its first field. */
function newer({ payload }: GoldenMessage, format: number, extra: Uint8Array): Uint8Array {
  return join(field(1, 0, varintBytes(format)), payload.subarray(2), extra);
}

describe.each(goldens)('$name of a newer build', (golden) => {
  const { kind, message } = golden;

  test.each([1, 2])('of format %i comes out of decode and encode as the bytes that went in', (format) => {
    const payload = newer(golden, format, added);
    const decoded = kind.decode(payload);
    expect(decoded).toEqual({ ...message, carried: { format, fields: added } });
    expect(kind.encode(decoded)).toEqual(payload);
  });

  test('keeps what is unknown also where it stands among known fields', () => {
    const [first, second] = [field(100, 0, varintBytes(5)), field(101, 0, varintBytes(6))];
    const payload = join(first, golden.payload, second);
    expect(kind.encode(kind.decode(payload))).toEqual(join(golden.payload, first, second));
  });

  test('says its own format even where it added nothing', () => {
    const payload = newer(golden, 2, new Uint8Array(0));
    expect(kind.encode(kind.decode(payload))).toEqual(payload);
  });

  test.each([0, 3, 4_294_967_295])('of format %i is refused', (format) => {
    const refusal = { code: 'message-format', path: 'format' };
    expect(() => kind.decode(newer(golden, format, added))).toThrow(expect.objectContaining(refusal));
  });

  test('is refused without a format', () => {
    expect(() => kind.decode(golden.payload.subarray(2))).toThrow(MalformedMessageError);
  });

  test('keeps unknown fields in the generated view too', () => {
    const payload = newer(golden, 2, added);
    expect(toBinary(kind.schema, fromBinary(kind.schema, payload))).toEqual(payload);
  });
});

test('a message of our own carries nothing', () => {
  for (const { kind, payload } of goldens) {
    expect(kind.decode(payload)).not.toHaveProperty('carried');
  }
});

test.each(batches)('a slice and a changed copy of $name still carry what a newer build added', (golden) => {
  const decoded = decodeReadingBatch(newer(golden, 2, added));
  const slice = encodeReadingBatch(sliceBatch(decoded, 1, 3));
  expect(decodeReadingBatch(slice).carried).toEqual(decoded.carried);
  const changed = encodeReadingBatch({ ...decoded, layer: 'validated' });
  expect(decodeReadingBatch(changed).carried).toEqual(decoded.carried);
});

test('what a newer build added within a nested message is read over, and not kept', () => {
  const { kind, payload } = batches[0]!;
  const message = create(kind.schema, fromBinary(kind.schema, payload)) as unknown as {
    columns: { $unknown: unknown[] };
    series: { $unknown: unknown[] }[];
  };
  const unknown = { no: 50, wireType: 2, data: Uint8Array.of(3, 1, 2, 3) };
  message.columns.$unknown = [unknown];
  message.series[0]!.$unknown = [unknown];
  const extended = toBinary(kind.schema, message as never);
  expect(extended.length).toBeGreaterThan(payload.length);
  expect(kind.encode(kind.decode(extended))).toEqual(payload);
});
