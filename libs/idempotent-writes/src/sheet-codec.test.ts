import {
  AggregateBatchBuilder,
  sameRow,
  sameSheet,
  SheetCursor,
  wholeWindow,
  type AggregateBatch,
} from '@meterflow/aggregates';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CorruptSegmentError } from './corrupt-segment-error.ts';
import { decodeSheet, decodeStanding, sameSheetContent, sheetTicket } from './sheet-decoder.ts';
import { encodeSheet } from './sheet-encoder.ts';
import { ofNextFormat } from './testing/next-format.ts';
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
    expect(sameSheet(decoded(blob), sheet)).toBe(true);
    expect(decoded(blob).batch.ticket).toBe(ticket);
  });
  fc.assert(property, { numRuns: 200 });
});

test('what the next format adds to a sheet is passed over, beside sheets of this one', () => {
  const property = fc.property(sums, fc.uint8Array({ maxLength: 200 }), (values, added) => {
    const sheet = sheetOf(values);
    const blob = encodeSheet(sheet).slice();
    const next = ofNextFormat(blob, added);
    expect(sheetTicket(next)).toBe(7);
    expect(sameSheet(decoded(next), sheet)).toBe(true);
    expect(sameSheetContent(next, blob) && sameSheetContent(blob, next)).toBe(true);
    expect(standing(next, blob)).toEqual(standing(blob, blob));
  });
  fc.assert(property, { numRuns: 100 });
});

function standing(...sheets: readonly Uint8Array[]): AggregateBatch {
  const builder = new AggregateBatchBuilder();
  const target = { builder, series: builder.series('m1', 'import'), rows: 'all', fromMs: 0, toMs: Infinity } as const;
  const ticket = decodeStanding(Buffer.concat(sheets), target);
  return builder.finish({ tenant: 'acme', level: 'day', ticket, causes: [] });
}

test('of sheets that lie one after the other come back those that stand and start within', () => {
  const property = fc.property(fc.array(sums, { maxLength: 5 }), fc.boolean(), (sheets, isWhole) => {
    const cursors = sheets.map((values, ticket) => sheetOf(values, { ticket: ticket + 1 }));
    const bytes = Buffer.concat(cursors.map((cursor) => encodeSheet(cursor).slice()));
    const standing = (fromMs: number, toMs: number): { tickets: number; sheets: SheetCursor[] } => {
      const builder = new AggregateBatchBuilder();
      const rows = isWhole ? 'whole' : 'all';
      const ticket = decodeStanding(bytes, { builder, series: builder.series('m1', 'import'), rows, fromMs, toMs });
      const batch = builder.finish({ tenant: 'acme', level: 'day', ticket, causes: [] });
      return { tickets: ticket, sheets: batch.sheets.rows.length === 0 ? [] : [...walked(batch)] };
    };
    const stand = cursors.filter(({ rows }) => rows > 0);
    const found = standing(startMs, startMs + 1);
    expect(found.tickets).toBe(sheets.findLastIndex((values) => values.length > 0) + 1);
    expect(found.sheets.map(({ rows }) => rows)).toEqual(stand.map(({ rows }) => (isWhole ? 1 : rows)));
    found.sheets.forEach((sheet, index) => {
      const original = stand[index] as SheetCursor;
      const row = original.rowsTo - 1;
      expect(sameRow({ batch: sheet.batch, row: sheet.rowsTo - 1 }, { batch: original.batch, row })).toBe(true);
    });
    expect(standing(startMs + 1, Infinity)).toEqual({ tickets: 0, sheets: [] });
    expect(standing(-Infinity, startMs)).toEqual({ tickets: 0, sheets: [] });
  });
  fc.assert(property, { numRuns: 100 });
});

/** A cursor of its own on each sheet. */
function* walked(batch: AggregateBatch): Generator<SheetCursor> {
  for (let sheet = 0; sheet < batch.sheets.rows.length; sheet++) {
    const cursor = new SheetCursor(batch);
    while (cursor.sheet < sheet) {
      cursor.next();
    }
    yield cursor;
  }
}

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
