import { compareDecimals, ReadingCursor, roundHalfEven, versionAt, type ReadingBatch } from '@meterflow/readings';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyFlowResult, change, failedResult, unchangedResult, type ApplyOptions, type FlowResult } from './index.ts';
import { sampleBatch } from './testing/index.ts';

const options: ApplyOptions = { key: 'k'.repeat(32), decimals: 6, onFailure: 'skip' };

interface Row {
  readonly startMs: number;
  readonly value: number;
  readonly integer: number;
  readonly decimals: number;
  readonly quality: number;
  readonly unit: string;
  readonly method: string;
  readonly reason: string;
  readonly computed: boolean;
}

function rowsOf(batches: readonly ReadingBatch[]): Row[] {
  return batches.flatMap(({ columns }) => {
    const cursor = new ReadingCursor(columns);
    const rows: Row[] = [];
    while (cursor.next()) {
      const { integer, startMs, unit, method, reason, qualityCode: quality } = cursor;
      const { computed } = versionAt(columns.versions, cursor.versionIndex);
      const { decimals } = columns;
      rows.push({
        startMs,
        integer,
        decimals,
        value: integer / 10 ** decimals,
        quality,
        unit,
        method,
        reason,
        computed,
      });
    }
    return rows;
  });
}

function resultOf(batch: ReadingBatch, part: Partial<FlowResult>): FlowResult {
  const changes = part.changes ?? new Uint8Array(batch.columns.values.length);
  return { ...unchangedResult(batch), ...part, changes, any: changes.reduce((any, bits) => any | bits, 0) };
}

describe('applyFlowResult', () => {
  test('what no rule touched keeps its columns, and only layer, cause and versions are new', () => {
    const batch = sampleBatch();
    const { validated, rejected } = applyFlowResult(batch, unchangedResult(batch), options);
    expect(rejected).toBeUndefined();
    expect(validated).toHaveLength(1);
    const [result] = validated as [ReadingBatch];
    expect(result.columns.values).toBe(batch.columns.values);
    expect(result).toMatchObject({
      layer: 'validated',
      cause: { sourceId: 'source/1', key: options.key, part: 0, parts: 1 },
    });
    expect(versionAt(result.columns.versions, 0)).toEqual({
      declared: 0,
      acceptedAtMs: 1_000,
      activation: 7,
      ticket: 0,
      computed: true,
    });
    expect([result.firstLine, result.lineDeltas]).toEqual([batch.firstLine, batch.lineDeltas]);
  });

  test('a value that the rules left alone keeps its integer, a changed one is rounded half to even', () => {
    const batch = sampleBatch({ integers: [1_001, 2_000, 3_000] });
    const changes = Uint8Array.of(0, change.value, change.value);
    const values = Float64Array.of(1.001, 0.5 / 1_000, 1 / 3);
    const { validated } = applyFlowResult(batch, resultOf(batch, { changes, values }), { ...options, decimals: 3 });
    expect(rowsOf(validated).map(({ integer, decimals }) => [integer, decimals])).toEqual([
      [1_001, 3],
      [0, 3],
      [333, 3],
    ]);
  });

  test('the decimals are the smallest that hold all values', () => {
    const batch = sampleBatch({ integers: [1_500, 2_250] });
    const result = resultOf(batch, { changes: Uint8Array.of(1, 1), values: Float64Array.of(1_500, 2_250) });
    expect(applyFlowResult(batch, result, options).validated[0]?.columns).toMatchObject({
      decimals: 0,
      values: Float64Array.of(1_500, 2_250),
    });
  });

  test('a batch is cut where one count of decimals would take a value to 2^53', () => {
    const batch = sampleBatch({ integers: [1_001, 5, 6, 7] });
    const values = Float64Array.of(0, 4_000_000_000_001, 0.000001, 3);
    const result = resultOf(batch, { changes: Uint8Array.of(0, 1, 1, 1), values });
    const { validated } = applyFlowResult(batch, result, options);
    expect(validated.map(({ cause }) => [cause?.part, cause?.parts])).toEqual([
      [0, 2],
      [1, 2],
    ]);
    expect(rowsOf(validated).map(({ value }) => value)).toEqual([1.001, 4_000_000_000_001, 0.000001, 3]);
    expect(rowsOf(validated).map(({ startMs }) => startMs)).toEqual(rowsOf([batch]).map(({ startMs }) => startMs));
    expect(validated.map(({ firstLine }) => firstLine)).toEqual([2, 4]);
  });

  test('unit, quality, method and reason are taken over where their bit is set', () => {
    const batch = sampleBatch({ integers: [1, 2, 3, 4] });
    const { unit, quality, method, reason } = change;
    const result = resultOf(batch, {
      changes: Uint8Array.of(unit, quality | method, reason, 0),
      unit: Uint16Array.of(3, 0, 0, 0),
      quality: Uint8Array.of(0, 1, 0, 0),
      method: Uint16Array.of(0, 4, 0, 0),
      reason: Uint16Array.of(0, 0, 5, 0),
      texts: [...batch.columns.texts, 'Wh', 'mean', 'odd'],
    });
    expect(
      rowsOf(applyFlowResult(batch, result, options).validated).map((row) => [
        row.unit,
        row.quality,
        row.method,
        row.reason,
      ]),
    ).toEqual([
      ['Wh', 0, '', ''],
      ['kWh', 1, 'mean', ''],
      ['kWh', 0, '', 'odd'],
      ['kWh', 0, '', ''],
    ]);
  });

  const refusing = (batch: ReadingBatch): FlowResult =>
    resultOf(batch, {
      changes: Uint8Array.of(change.value, change.value | change.rejected, change.unit | change.failed, 0),
      values: Float64Array.of(9, 9, 9, 9),
      unit: Uint16Array.of(3, 3, 3, 3),
      reason: Uint16Array.of(0, 4, 5, 0),
      texts: [...batch.columns.texts, 'Wh', 'too odd', 'rule-failed:rule-threw'],
    });

  test('skip: nothing that a rule did to a failed reading counts; a rejected one is an absence all the same', () => {
    const batch = sampleBatch();
    const { validated, rejected } = applyFlowResult(batch, refusing(batch), options);
    const shown = rowsOf(validated).map(({ value, quality, unit, reason, computed }) => [
      value,
      quality,
      unit,
      reason,
      computed,
    ]);
    expect(shown).toEqual([
      [9, 0, 'kWh', '', true],
      [0, 4, 'kWh', 'too odd', true],
      [-0.25, 0, 'kWh', 'rule-failed:rule-threw', false],
      [12, 0, 'kWh', '', true],
    ]);
    expect(rejected).toMatchObject({ layer: 'raw', firstLine: 3, tenant: 'tenant-a' });
    expect(rowsOf([rejected!]).map(({ value, reason }) => [value, reason])).toEqual([[1.5, 'too odd']]);
  });

  test('reject: a failed reading is an absence that is not computed', () => {
    const batch = sampleBatch();
    const { validated, rejected } = applyFlowResult(batch, refusing(batch), { ...options, onFailure: 'reject' });
    expect(rowsOf(validated)[2]).toMatchObject({
      value: 0,
      quality: 4,
      reason: 'rule-failed:rule-threw',
      computed: false,
    });
    expect(rowsOf([rejected!]).map(({ value }) => value)).toEqual([1.5, -0.25]);
  });

  test('what fails as a whole fails for every reading that has a value', () => {
    const batch = sampleBatch();
    const quality = { ends: Uint32Array.of(1, 2, 4), values: Uint32Array.of(0, 4, 0) };
    const withAbsence = { ...batch, columns: { ...batch.columns, quality } };
    const { validated } = applyFlowResult(withAbsence, failedResult(withAbsence, 'rule-timed-out'), options);
    expect(rowsOf(validated).map(({ reason, computed }) => [reason, computed])).toEqual([
      ['rule-failed:rule-timed-out', false],
      ['', true],
      ['rule-failed:rule-timed-out', false],
      ['rule-failed:rule-timed-out', false],
    ]);
  });

  test('a batch made of a rejected part goes back to the batch that was accepted', () => {
    const cause = { sourceId: 'source/1', key: 'a'.repeat(32), part: 0, parts: 1 };
    const batch = { ...sampleBatch(), cause };
    expect(applyFlowResult(batch, unchangedResult(batch), options).validated[0]?.cause).toEqual(cause);
  });

  test('law: every reading comes out once, in order, exact where untouched and rounded where changed', () => {
    const integer = fc.oneof(fc.integer({ min: -9e6, max: 9e6 }), fc.integer({ min: -8e14, max: 8e14 }));
    const float = fc.oneof(
      fc.double({ min: -1e3, max: 1e3, noNaN: true }),
      fc.double({ min: -9e15, max: 9e15, noNaN: true }),
      fc.constantFrom(0, 0.5, 1e-6, 5e-7, 123.456),
    );
    const reading = fc.record({ integer, float, changed: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(reading, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 0, max: 9 }),
        (readings, decimals) => {
          const batch = sampleBatch({ integers: readings.map((row) => row.integer) });
          const changes = Uint8Array.from(readings, (row) => (row.changed ? change.value : 0));
          const values = Float64Array.from(readings, (row) => row.float);
          const { validated } = applyFlowResult(batch, resultOf(batch, { changes, values }), { ...options, decimals });
          const rows = rowsOf(validated);
          expect(rows).toHaveLength(readings.length);
          rows.forEach((row, index) => {
            const { changed, integer: raw, float: value } = readings[index]!;
            const [expected, places] = changed ? rounded(value, decimals) : [raw, 3];
            expect(compareDecimals(row.integer, row.decimals, expected, places)).toBe(0);
            expect(Math.abs(row.integer)).toBeLessThanOrEqual(Number.MAX_SAFE_INTEGER);
          });
          validated.forEach(({ columns, cause }, part) => {
            const spare = columns.decimals > 0 && columns.values.every((value) => value % 10 === 0);
            expect(spare).toBe(false);
            expect(cause).toMatchObject({ part, parts: validated.length });
          });
        },
      ),
    );
  });
});

/** To the decimals asked for, or to as many as 2^53 has room for. */
function rounded(value: number, decimals: number): [integer: number, decimals: number] {
  for (let places = decimals; ; places--) {
    const integer = roundHalfEven(value, places);
    if (integer !== undefined) {
      return [integer, places];
    }
  }
}
