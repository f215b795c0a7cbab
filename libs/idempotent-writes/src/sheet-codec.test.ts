import { AggregateBatchBuilder, sameSheet, SheetCursor, wholeWindow } from '@meterflow/aggregates';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CorruptSegmentError } from './corrupt-segment-error.ts';
import { decodeSheet, encodeSheet, sameSheetContent, sheetHead, sheetTicket } from './sheet-codec.ts';
import { aggregateWrite } from './testing/plain-sheets.ts';

const startMs = Date.UTC(2024, 0, 1, 23);
const endMs = startMs + 86_400_000;

function sheetOf(sums: readonly number[], change: { ticket?: number; decimals?: number } = {}): SheetCursor {
  const hours = Object.fromEntries(sums.map((sum, hour) => [hour === sums.length - 1 ? wholeWindow : hour, sum]));
  const { batch } = aggregateWrite({ ticket: 7, sheets: [{ startMs, endMs, sums: hours }], ...change });
  const cursor = new SheetCursor(batch);
  cursor.next();
  return cursor;
}

function decoded(blob: Uint8Array): SheetCursor {
  const builder = new AggregateBatchBuilder();
  const ticket = decodeSheet(blob, { builder, series: builder.series('m1', 'import'), rows: 'all' });
  const cursor = new SheetCursor(builder.finish({ tenant: 'acme', level: 'day', ticket, causes: [] }));
  cursor.next();
  return cursor;
}

const sums = fc.array(fc.oneof(fc.integer({ min: -200, max: 200 }), fc.integer({ min: -(2 ** 40), max: 2 ** 40 })), {
  maxLength: 25,
});

test('a sheet comes back as it was, with its ticket', () => {
  const property = fc.property(sums, fc.nat(), fc.constantFrom(3, 5, 6), (values, ticket, decimals) => {
    const sheet = sheetOf(values, { ticket, decimals });
    const blob = encodeSheet(sheet).slice();
    expect(sheetTicket(blob)).toBe(ticket);
    expect(sheetHead(blob)).toEqual({ startMs, rows: values.length });
    expect(sameSheet(decoded(blob), sheet)).toBe(true);
    expect(decoded(blob).batch.ticket).toBe(ticket);
  });
  fc.assert(property, { numRuns: 200 });
});

test('sheets have the same content exactly where they say the same, whatever their tickets and decimals', () => {
  const property = fc.property(sums, sums, fc.constantFrom(3, 6), (left, right, decimals) => {
    const blob = encodeSheet(sheetOf(left, { ticket: 1 })).slice();
    expect(sameSheetContent(blob, encodeSheet(sheetOf(left, { ticket: 2 ** 40, decimals })))).toBe(true);
    const same = JSON.stringify(left) === JSON.stringify(right);
    expect(sameSheetContent(blob, encodeSheet(sheetOf(right, { ticket: 1, decimals })))).toBe(same);
  });
  fc.assert(property, { numRuns: 200 });
});

test('a day of quarter hours in a household takes less than 250 bytes', () => {
  const values = Array.from({ length: 25 }, (_, hour) => (hour < 24 ? 150 + hour * 30 : 12_000));
  expect(encodeSheet(sheetOf(values)).length).toBeLessThan(250);
});

test('bytes that no encoder wrote are a clear error or a sheet', () => {
  const decode = (bytes: Uint8Array): void => {
    try {
      decoded(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(CorruptSegmentError);
    }
  };
  const property = fc.property(
    fc.uint8Array({ maxLength: 80 }),
    sums,
    fc.tuple(fc.nat(), fc.nat(255)),
    (bytes, values, [at, byte]) => {
      decode(bytes);
      decode(Uint8Array.of(1, ...bytes));
      const blob = encodeSheet(sheetOf(values)).slice();
      blob[at % blob.length] = byte;
      decode(blob);
      decode(blob.subarray(0, at % blob.length));
    },
  );
  fc.assert(property, { numRuns: 1_000 });
});
