import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultMapping } from './built-in-mappings.ts';
import { futureMsMax, lineBytesMax } from './limits.ts';
import { readWhole, testAcceptedAtMs, type ReadSource } from './testing/read-whole.ts';
import { referenceRead, type ReferenceResult } from './testing/reference-csv.ts';

const header = 'meter_id,channel,start,value,unit';
const encoder = new TextEncoder();
const latestMs = testAcceptedAtMs + futureMsMax;

/** The same mapping, but never fit for the fast lane: a null text with a digit may be a number. */
const slowMapping = {
  ...defaultMapping,
  value: { ...defaultMapping.value, nullTexts: [...defaultMapping.value.nullTexts, 'null0'] },
};

function read(source: Uint8Array, mapping = defaultMapping): ReadSource {
  return readWhole('csv', [source], { mapping });
}

function asReference({ rows, rejects }: ReadSource): ReferenceResult {
  return {
    rows: rows.map(({ line, meter, channel, startMs, value, unit }) => ({
      line,
      meter,
      channel,
      startMs,
      value,
      unit,
    })),
    rejects: rejects.map(({ line, code }) => [line, code]),
  };
}

const usually = (...texts: readonly string[]) => fc.constantFrom(...texts);
const meters = fc.oneof(
  { weight: 20, arbitrary: usually('7855756', 'm-2', 'A long meter name, 40 chars'.replace(',', '')) },
  { weight: 3, arbitrary: usually('"m-2"', '"m,3"', '"m""4"', ' m-2', 'm-2 ', '"m-2" ', 'zähler', 'm\u00a02', 'a"b') },
  {
    weight: 2,
    arbitrary: usually(
      '',
      '""',
      '"',
      '"m"x',
      'group:west',
      '"group:"',
      'x'.repeat(65),
      'x'.repeat(64),
      'm\t2',
      'm\u{1f600}',
      'a\u00002',
    ),
  },
);
const channels = fc.oneof(
  { weight: 10, arbitrary: usually('import', 'export') },
  { weight: 1, arbitrary: usually('', ' import', '"import"', 'ch\u007f', 'import@peak', '@') },
);
const values = fc.oneof(
  { weight: 10, arbitrary: fc.integer({ min: 0, max: 99_999 }).map((value) => String(value / 1_000)) },
  {
    weight: 5,
    arbitrary: usually('0', '0.000', '0.50', '12.300', '1', '1000', '.5', '5.', '-0.25', '-0', '007', ' 0.1', '0.143 '),
  },
  {
    weight: 4,
    arbitrary: usually('123456789012345', '1234567.12345678', '0.123456789', '0.1234567890', '99999999999999.9'),
  },
  {
    weight: 4,
    arbitrary: usually('1e3', '5e-3', '+7', '9007199254740991', '9007199254740992', '0.1234567891', '1E400'),
  },
  {
    weight: 3,
    arbitrary: usually('', 'Null', 'NaN', '.', '-', '--1', '1.2.3', '1,5', '"1.5"', '0x10', '1 2', '-.5', '- 5'),
  },
);
const units = fc.oneof(
  { weight: 10, arbitrary: usually('kWh', 'Wh') },
  { weight: 1, arbitrary: usually('', 'kwh', ' kWh ', '"kWh"', 'horse', 'm3') },
);
const stamps = fc.oneof(
  {
    weight: 10,
    arbitrary: fc
      .integer({ min: 0, max: 400 })
      .map((slot) => new Date(Date.UTC(2024, 1, 28) + slot * 900_000).toISOString().replace('.000', '')),
  },
  {
    weight: 4,
    arbitrary: usually(
      '2024-02-29 12:00:00',
      '2024-02-29T12:00:00.0000000',
      '2024-02-29T12:00:00+01:00',
      '2024-02-29T12:00:00-0530',
      '2024-02-29T12:00+02',
      '2024-02-29T12:00Z',
      '2024-02-29t12:00:00z',
      '2024-02-29T12:00:00.250Z',
      '2024-02-29',
      '2024-02-29T24:00:00Z',
      '2024-02-29 12:00:00 Z',
    ),
  },
  {
    weight: 2,
    arbitrary: usually(
      '',
      '2023-02-29T00:00:00Z',
      '2024-13-01T00:00:00Z',
      '2024-02-29T25:00:00Z',
      '2024-02-29T12:60:00Z',
      '2024-02-29T12:00:00.0001Z',
      '0000-01-01T00:00:00Z',
      '1969-12-31T23:59:59Z',
      '2027-06-01T00:00:00Z',
      '2024-02-29T12:00:61Z',
      '29.02.2024 12:00',
      'yesterday',
      '2024-02-29T12:00:00+19:00',
      '2024-02-29T1:00:00Z',
    ),
  },
);
const ends = fc.oneof(
  { weight: 12, arbitrary: usually('\n') },
  { weight: 3, arbitrary: usually('\r\n') },
  { weight: 1, arbitrary: usually('\n\n', '\n \n', '\r\r\n', ',\n') },
);
const line = fc
  .tuple(meters, channels, stamps, values, units, ends)
  .map(([meter, channel, stamp, value, unit, end]) => `${meter},${channel},${stamp},${value},${unit}${end}`);
/** Lines that differ in clock time and value, as files have them. */
const alikeLines = fc
  .tuple(
    usually('7855756', 'm-2'),
    fc.integer({ min: 0, max: 90 }),
    fc.array(fc.tuple(values, ends), { maxLength: 12 }),
  )
  .map(([meter, slot, rest]) =>
    rest
      .map(
        ([value, end], index) =>
          `${meter},import,${new Date(Date.UTC(2024, 1, 28) + (slot + index) * 900_000).toISOString().replace('.000', '')},${value},kWh${end}`,
      )
      .join(''),
  );
const body = fc
  .array(fc.oneof({ weight: 2, arbitrary: line }, { weight: 1, arbitrary: alikeLines }), { maxLength: 12 })
  .map((lines) => lines.join(''));
const source = body.map((text) => encoder.encode(`${header}\n${text}`));
/** Some bytes of it changed to any others. */
const brokenSource = fc
  .tuple(
    source,
    fc.array(
      fc.tuple(fc.nat(), fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(34, 10, 13, 44, 32, 0, 255))),
      { maxLength: 4 },
    ),
  )
  .map(([bytes, changes]) => {
    const broken = bytes.slice();
    for (const [at, byte] of changes) {
      const place = header.length + 1 + (at % Math.max(1, bytes.length - header.length - 1));
      if (place < broken.length) {
        broken[place] = byte;
      }
    }
    return broken;
  });

describe('the CSV scanner', () => {
  test('gives what a plain parser gives, whatever the lines', () => {
    fc.assert(
      fc.property(brokenSource, (bytes) => {
        expect(asReference(read(bytes))).toEqual(referenceRead(bytes, latestMs));
      }),
      { numRuns: 400 },
    );
  });

  test('gives the same by its fast lane and by its complete way', () => {
    fc.assert(
      fc.property(brokenSource, (bytes) => {
        expect(read(bytes)).toEqual(read(bytes, slowMapping));
      }),
      { numRuns: 150 },
    );
  });

  test('gives the same batches and rejects however the bytes arrive', () => {
    fc.assert(
      fc.property(brokenSource, fc.array(fc.nat(), { maxLength: 6 }), (bytes, cuts) => {
        const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
        const pieces = places.slice(1).map((place, index) => bytes.slice(places[index], place));
        expect(readWhole('csv', pieces, { mapping: defaultMapping })).toEqual(read(bytes));
      }),
      { numRuns: 150 },
    );
  });

  test('gives the same whether cut after any one of its bytes', () => {
    const bytes = encoder.encode(
      `\ufeff${header}\r\nm-1,import,2024-01-01T00:00:00Z,1.5,kWh\r\n"m ""x""",import,2024-01-01T00:00:00Z,1,kWh\nbad\nm-1,import,2024-01-01T00:15:00Z,0.25,kWh\nm-1,import,2024-01-01T00:30:00Z,0.5,Wh`,
    );
    const whole = read(bytes);
    expect(whole.counts).toEqual({ received: 5, accepted: 4, rejected: 1 });
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(readWhole('csv', [bytes.slice(0, cut), bytes.slice(cut)], { mapping: defaultMapping })).toEqual(whole);
    }
    expect(
      readWhole(
        'csv',
        [...bytes].map((byte) => Uint8Array.of(byte)),
        { mapping: defaultMapping },
      ),
    ).toEqual(whole);
  });

  test('leaves the caller its bytes to use again', () => {
    const bytes = encoder.encode(
      `${header}\nm-1,import,2024-01-01T00:00:00Z,1.5,kWh\nm-1,import,2024-01-01T00:15:00Z,2,kWh\n`,
    );
    const shared = new Uint8Array(7);
    const pieces = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, index) =>
      bytes.slice(index * 7, index * 7 + 7),
    );
    const reusing = pieces.map((piece) => ({ piece }));
    const rows = readWhole(
      'csv',
      {
        *[Symbol.iterator]() {
          for (const { piece } of reusing) {
            shared.set(piece);
            yield shared.subarray(0, piece.length);
            shared.fill(120);
          }
        },
      } as unknown as Uint8Array[],
      { mapping: defaultMapping },
    );
    expect(rows).toEqual(read(bytes));
  });

  test('rejects a line that is too long and goes on with the next, in bounded memory', () => {
    const long = 'x'.repeat(lineBytesMax);
    const bytes = encoder.encode(
      `${header}\nm-1,import,2024-01-01T00:00:00Z,1,kWh\n${long}y\n${long}${long}${long}\nm-1,import,2024-01-01T00:15:00Z,1,kWh\n`,
    );
    for (const pieceBytes of [1_000, 70_001, bytes.length]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, index) =>
        bytes.slice(index * pieceBytes, (index + 1) * pieceBytes),
      );
      const { rejects, counts } = readWhole('csv', pieces, { mapping: defaultMapping });
      expect(rejects.map(({ line: at, code, text }) => [at, code, text.length])).toEqual([
        [3, 'line-too-long', 200],
        [4, 'line-too-long', 200],
      ]);
      expect(counts.accepted).toBe(2);
    }
  });

  test('takes a line of just the greatest length, by either way', () => {
    const padded = (bytes: number): Uint8Array => {
      const start = 'm-1,import,2024-01-01T00:00:00Z,';
      return encoder.encode(`${header}\n${start}${' '.repeat(bytes - start.length - 5)}1,kWh\n`);
    };
    for (const mapping of [defaultMapping, slowMapping]) {
      expect(read(padded(lineBytesMax), mapping).counts.accepted).toBe(1);
      expect(read(padded(lineBytesMax + 1), mapping).rejects[0]?.code).toBe('line-too-long');
    }
  });

  test('names line, column, code and reason of a reject, and keeps its text', () => {
    const bytes = encoder.encode(
      `${header}\r\n\r\nm-1,import,2024-01-01T00:00:00Z,abc,kWh\r\nm-1,import,2028-01-01T00:00:00Z,1,kWh\r\n`,
    );
    expect(read(bytes).rejects).toEqual([
      {
        line: 3,
        column: 'value',
        code: 'invalid-value',
        reason: '"abc" is not a number',
        text: 'm-1,import,2024-01-01T00:00:00Z,abc,kWh',
      },
      {
        line: 4,
        column: 'start',
        code: 'in-the-future',
        reason: 'starts after 2027-01-02T00:00:00Z',
        text: 'm-1,import,2028-01-01T00:00:00Z,1,kWh',
      },
    ]);
  });

  test('an unclosed quote costs its own line alone', () => {
    const bytes = encoder.encode(
      `${header}\n"m-1,import,2024-01-01T00:00:00Z,1,kWh\nm-1,import,2024-01-01T00:00:00Z,1,kWh\n`,
    );
    const { rejects, counts } = read(bytes);
    expect(rejects.map(({ line: at, code }) => [at, code])).toEqual([[2, 'unclosed-quote']]);
    expect(counts.accepted).toBe(1);
  });

  test('never throws for random bytes behind a header', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (random) => {
        const { counts, rows, rejects } = read(Uint8Array.of(...encoder.encode(`${header}\n`), ...random));
        expect(counts).toEqual({
          received: rows.length + rejects.length,
          accepted: rows.length,
          rejected: rejects.length,
        });
      }),
      { numRuns: 150 },
    );
  });
});
