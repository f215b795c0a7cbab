import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseMapping, type Mapping } from './mapping.ts';
import { readWhole, type ReadSource } from './testing/read-whole.ts';

const encoder = new TextEncoder();
const stampMs = fc.integer({ min: 0, max: 8 * 96 }).map((slot) => Date.UTC(2024, 9, 24) + slot * 900_000);
const iso = (ms: number, suffix: string): string =>
  new Date(ms).toISOString().replace('T', ' ').replace('.000Z', suffix);

/** What the cells of each kind of column may hold, mostly good. */
const cells: Readonly<Record<string, fc.Arbitrary<string>>> = {
  meter: fc.constantFrom('m-1', 'm-1', 'm-1', 'CH1012301234500000000000000123456', 'bad\u0007', ''),
  channel: fc.constantFrom('import', 'import', 'import', 'export', '"import"'),
  time: fc.oneof(
    { weight: 9, arbitrary: stampMs.map((ms) => iso(ms, '')) },
    {
      weight: 3,
      arbitrary: fc
        .tuple(stampMs, fc.constantFrom('Z', '+02:00', '.000', '-0100', 'short', 'shortZ', 'short+01:00'))
        .map(([ms, suffix]) => iso(ms, suffix)),
    },
  ),
  end: fc.oneof({ weight: 3, arbitrary: stampMs.map((ms) => iso(ms, '')) }, { weight: 1, arbitrary: fc.constant('') }),
  value: fc.constantFrom('1', '0,5', '0.5', '12.345', '-3', '007.10', ' 4.25 ', '', 'n/a', '1.23456', '"1,5"'),
  unit: fc.constantFrom('kWh', 'kWh', 'kWh', 'KWH', 'Wh', 'horse'),
  quality: fc.constantFrom('A', 'A', 'E', '', 'M', 'X'),
  version: fc.constantFrom(
    '1',
    '2',
    '',
    '0',
    '1.0',
    ' 3',
    '12345678901234567',
    '2024-11-01T00:00:00Z',
    '2024-11-01 00:00:00',
  ),
  other: fc.constantFrom('', 'Std', 'ACORN-A', 'a b', ' ', '"q"', 'é'),
};

const columns = fc
  .shuffledSubarray(Object.keys(cells), { minLength: 7 })
  .map((names) => ['meter', 'channel', 'time', 'value', 'unit'].filter((name) => !names.includes(name)).concat(names));

const mappingParts = fc.record({
  delimiter: fc.constantFrom<Mapping['delimiter'][]>(',', ';', '\t'),
  decimalMark: fc.constantFrom<('.' | ',')[]>('.', ','),
  decimalsMax: fc.constantFrom(9, 4, 0),
  zone: fc.constantFrom('UTC', 'Europe/Zurich', 'Australia/Lord_Howe', 'Asia/Kolkata'),
  length: fc.constantFrom('auto', '15m', '30m', '1h', '1d', 'register'),
  label: fc.constantFrom<('start' | 'end')[]>('start', 'end'),
  kind: fc.constantFrom<('revision' | 'created')[]>('revision', 'created'),
  endOptional: fc.boolean(),
});

/** The mapping for these columns; with a `nullText` that has a digit, the fast lane is never taken. */
function mappingOf(
  names: readonly string[],
  parts: typeof mappingParts extends fc.Arbitrary<infer Parts> ? Parts : never,
  nullText: string,
): Mapping {
  const usesEnd = names.includes('end') && parts.label === 'start';
  return parseMapping({
    name: 'test',
    delimiter: parts.delimiter,
    meter: { column: 'meter' },
    channel: { column: 'channel' },
    time: { column: 'time', zone: parts.zone, label: parts.length === 'register' ? 'start' : parts.label },
    interval: { length: parts.length, ...(usesEnd ? { end: { column: 'end', optional: parts.endOptional } } : {}) },
    value: {
      column: 'value',
      decimalMark: parts.decimalMark,
      decimalsMax: parts.decimalsMax,
      nullTexts: ['', 'n/a', nullText],
    },
    unit: { column: 'unit', names: { KWH: 'kWh' } },
    quality: { column: 'quality', optional: true, codes: { A: 'measured', E: 'estimated', M: 'missing' } },
    version: { column: 'version', optional: true, kind: parts.kind },
  });
}

const table = columns.chain((names) =>
  fc.record({
    names: fc.constant(names),
    parts: mappingParts,
    /** Each line, and how often it is sent again with later clock times. */
    lines: fc.array(fc.tuple(fc.tuple(...names.map((name) => cells[name]!)), fc.nat({ max: 4 })), { maxLength: 10 }),
    lineEnd: fc.constantFrom('\n', '\r\n'),
    /** Which fields are quoted, in all lines. */
    quoted: fc.array(fc.boolean(), { minLength: names.length, maxLength: names.length }),
  }),
);

describe('the fast lane', () => {
  test('reads every line as the complete way does, whatever the columns and the mapping', () => {
    let fast = 0;
    fc.assert(
      fc.property(table, ({ names, parts, lines, lineEnd, quoted }) => {
        const rows = lines.flatMap(([line, repeats]) =>
          Array.from({ length: repeats + 1 }, (_, index) =>
            later(line, index)
              .map((cell, column) => (quoted[column] === true && !cell.includes('"') ? `"${cell}"` : cell))
              .join(parts.delimiter),
          ),
        );
        const bytes = encoder.encode([names.join(parts.delimiter), ...rows, ''].join(lineEnd));
        const read = (nullText: string): ReadSource =>
          readWhole('csv', [bytes], { mapping: mappingOf(names, parts, nullText), readingsPerBatch: 7 });
        const result = read('none');
        fast += result.counts.accepted;
        expect(result).toEqual(read('none0'));
      }),
      { numRuns: 200 },
    );
    // Far below what chance gives: it only shows that the fast lane was taken at all.
    expect(fast).toBeGreaterThan(10);
  });
});

/** The line with its clock times some quarter hours on. */
function later(line: readonly string[], quarters: number): string[] {
  return line.map((cell) =>
    cell.replace(/(?<=^"?\d{4}-\d\d-\d\d )\d\d:\d\d/, (clock) => {
      const time = Date.parse(`1970-01-01T${clock}Z`) + quarters * 900_000;
      return new Date(time).toISOString().slice(11, 16);
    }),
  );
}
