import {
  AggregateBatchBuilder,
  sameRow,
  sameSheet,
  SheetCursor,
  unknownPeak,
  wholeWindow,
  type AggregateBatch,
  type InputVersions,
} from '@meterflow/aggregates';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CorruptSegmentError } from './corrupt-segment-error.ts';
import { decodeSheet, decodeStanding, sameSheetContent, sheetTicket } from './sheet-decoder.ts';
import { encodeSheet } from './sheet-encoder.ts';
import { ofNextFormat } from './testing/next-format.ts';
import { aggregateWrite, type PlainSheet } from './testing/plain-sheets.ts';

const startMs = Date.UTC(2024, 0, 1, 23);
const endMs = startMs + 86_400_000;

interface Change {
  readonly ticket?: number;
  readonly decimals?: number;
  readonly facts?: NonNullable<PlainSheet['facts']>;
  readonly inputs?: InputVersions;
}

function sheetOf(sums: readonly number[], { ticket = 7, decimals = 3, ...more }: Change = {}): SheetCursor {
  const hours = Object.fromEntries(sums.map((sum, hour) => [hour === sums.length - 1 ? wholeWindow : hour, sum]));
  const { batch } = aggregateWrite({ ticket, decimals, sheets: [{ startMs, endMs, sums: hours, ...more }] });
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
  maxLength: 49,
});

const count = fc.oneof(fc.constant(0), fc.nat(96), fc.constant(2 ** 32 - 1));
const facts = fc.record({
  peakOffsetMs: fc.constantFrom(unknownPeak, 0, 900_000, 12_345, 2_591_999_999),
  expected: fc.oneof(fc.constant(4), count),
  surplus: count,
  estimated: count,
  substituted: count,
  calculated: count,
  notBillable: count,
});
const version = fc.oneof(fc.constant(0), fc.nat({ max: Number.MAX_SAFE_INTEGER }));
const inputs = fc.record({ declared: version, acceptedAtMs: version, activation: version });
const told = fc.record({ ticket: fc.nat(), decimals: fc.constantFrom(3, 5, 6), facts, inputs });

test('a sheet comes back as it was, with its ticket and what it was made of', () => {
  const property = fc.property(sums, told, (values, change) => {
    const { ticket } = change;
    const sheet = sheetOf(values, change);
    const blob = encodeSheet(sheet).slice();
    expect(sheetTicket(blob)).toBe(ticket);
    expect(sameSheet(decoded(blob), sheet)).toBe(true);
    expect(decoded(blob).inputs).toEqual(change.inputs);
    expect(decoded(blob).batch.ticket).toBe(ticket);
  });
  fc.assert(property, { numRuns: 200 });
});

test('sheets of one value but other facts, or other versions, are different, or the same', () => {
  const property = fc.property(sums, told, told, (values, left, right) => {
    const [a, b] = [left, right].map((change) => encodeSheet(sheetOf(values, { ...change, ticket: 1 })).slice());
    const same = values.length === 0 || JSON.stringify(left.facts) === JSON.stringify(right.facts);
    expect(sameSheetContent(a as Uint8Array, b as Uint8Array)).toBe(same);
    expect(sameSheet(sheetOf(values, left), sheetOf(values, right))).toBe(same);
  });
  fc.assert(property, { numRuns: 200 });
});

test('a sheet of format 1 is one whose facts are not known', () => {
  const property = fc.property(sums, (values) => {
    const sheet = sheetOf(values);
    const found = decoded(ofFormat1(encodeSheet(sheet)));
    const unknown = sheetOf(values, { facts: { peakOffsetMs: unknownPeak } });
    expect(sameSheet(found, unknown)).toBe(true);
    expect(found.inputs).toEqual({ declared: 0, acceptedAtMs: 0, activation: 0 });
  });
  fc.assert(property, { numRuns: 50 });
});

/** A sheet as builds of format 1 wrote it: without what format 2 added, whose length is one byte here. */
function ofFormat1(blob: Uint8Array): Uint8Array {
  return Uint8Array.of(1, ...blob.subarray(2 + (blob[1] as number)));
}

test('what the next format adds to a sheet is passed over, beside sheets of this one', () => {
  const property = fc.property(sums, fc.uint8Array({ maxLength: 200 }), told, (values, added, change) => {
    const sheet = sheetOf(values, { ...change, ticket: 7 });
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

test('a day of quarter hours in a household takes less than 300 bytes', () => {
  const values = Array.from({ length: 25 }, (_, hour) => (hour < 24 ? 150 + hour * 30 : 12_000));
  expect(encodeSheet(sheetOf(values)).length).toBeLessThan(300);
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
      decode(Uint8Array.of(2, ...bytes));
      const blob = encodeSheet(sheetOf(values, { facts: { surplus: 3 } })).slice();
      blob[at % blob.length] = byte;
      decode(blob);
      decode(blob.subarray(0, at % blob.length));
    },
  );
  fc.assert(property, { numRuns: 1_000 });
});
