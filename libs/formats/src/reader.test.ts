import { readingCount, readingsPerBatchMax } from '@meterflow/readings';
import { describe, expect, test } from 'vitest';
import { defaultMapping } from './built-in-mappings.ts';
import { documentBytesMax, probeBytesMax, rejectsPerCallMax, seriesRememberedMax } from './limits.ts';
import { parseMapping, type MappingInput } from './mapping.ts';
import { createReader, type ReaderOptions } from './reader.ts';
import { atOneGo } from './steps.ts';
import { readWhole, testAcceptedAtMs, type ReadSource } from './testing/read-whole.ts';
import { UnreadableSourceError } from './unreadable-source-error.ts';

const encoder = new TextEncoder();
const header = 'meter_id,channel,start,value,unit';
const minuteMs = 60_000;

function csv(lines: readonly string[], options: Partial<ReaderOptions> = {}): ReadSource {
  return readWhole('csv', [encoder.encode(lines.join('\n'))], { mapping: defaultMapping, ...options });
}

function mapping(parts: Partial<MappingInput>): { mapping: ReturnType<typeof parseMapping> } {
  return {
    mapping: parseMapping({
      name: 'test',
      meter: { column: 'meter' },
      channel: { constant: 'import' },
      time: { column: 'time' },
      value: { column: 'value' },
      unit: { constant: 'kWh' },
      ...parts,
    }),
  };
}

function codesOf({ rejects }: ReadSource): (string | number)[][] {
  return rejects.map(({ line, column, code }) => [line, column, code]);
}

/** Readings of one meter, `stepMinutes` apart. */
function rows(count: number, stepMinutes: number, meter = 'm-1'): string[] {
  return Array.from({ length: count }, (_, index) => {
    const start = new Date(Date.UTC(2024, 0, 1) + index * stepMinutes * minuteMs).toISOString().replace('.000', '');
    return `${meter},import,${start},${index % 10},kWh`;
  });
}

function lengthsOf({ rows: read }: ReadSource): number[] {
  return [...new Set(read.map(({ lengthMs }) => lengthMs / minuteMs))];
}

describe('batches', () => {
  test('are cut after a fixed number of readings and say where each reading stood', () => {
    const { batches, rows: read } = csv([header, ...rows(9_000, 15)]);
    expect(batches.map(readingCount)).toEqual([readingsPerBatchMax, readingsPerBatchMax, 1_000]);
    expect(batches.map(({ firstLine }) => firstLine)).toEqual([2, 4_002, 8_002]);
    expect(read.map(({ line }) => line)).toEqual(Array.from({ length: 9_000 }, (_, index) => index + 2));
    expect(batches[0]!.columns.spans.count).toEqual(Uint32Array.of(4_000));
  });

  test('are cut where the decimals of all would take a value beyond 2^53', () => {
    const { batches, rows: read } = csv([
      header,
      'm,c,2024-01-01T00:00:00Z,9007199254740991,Wh',
      'm,c,2024-01-01T00:15:00Z,0.5,Wh',
      'm,c,2024-01-01T00:30:00Z,9007199254740990,Wh',
    ]);
    expect(batches.map((batch) => [readingCount(batch), batch.columns.decimals])).toEqual([
      [1, 0],
      [1, 1],
      [1, 0],
    ]);
    expect(read.map(({ value }) => value)).toEqual(['9007199254740991', '0.5', '9007199254740990']);
  });

  test('carry their header and the time of acceptance as the version of undeclared readings', () => {
    const [batch] = csv([header, ...rows(2, 15)]).batches;
    expect(batch).toMatchObject({
      tenant: 'acme',
      layer: 'raw',
      sourceId: 's-1',
      activation: 3,
      acceptedAtMs: testAcceptedAtMs,
    });
    expect(batch!.columns.versions.declared).toEqual(Float64Array.of(0));
    expect(batch!.columns.versions.acceptedAtMs).toEqual(Float64Array.of(testAcceptedAtMs));
  });

  test('name a series once, though more series come than a reader remembers', () => {
    const count = seriesRememberedMax + 10_000;
    const lines = Array.from(
      { length: count },
      (_, index) => `m${index},import,2024-01-01T00:00:00Z,1,kWh\nm${index},import,2024-01-01T00:15:00Z,1,kWh`,
    );
    const bytes = encoder.encode([header, ...lines].join('\n'));
    const once = readWhole('csv', [bytes], { mapping: defaultMapping });
    expect(once.counts.accepted).toBe(2 * count);
    for (const { series } of once.batches) {
      expect(new Set(series.map(({ meter }) => meter)).size).toBe(series.length);
    }
    const pieces = Array.from({ length: Math.ceil(bytes.length / 50_021) }, (_, index) =>
      bytes.subarray(index * 50_021, (index + 1) * 50_021),
    );
    expect(readWhole('csv', pieces, { mapping: defaultMapping }).batches).toEqual(once.batches);
  });
});

describe('rejects', () => {
  test('are handed over by the push that met them, many at once', () => {
    const calls: number[] = [];
    const reader = createReader('csv', {
      mapping: defaultMapping,
      header: { tenant: 'acme', layer: 'raw', sourceId: 's-1', acceptedAtMs: 0, activation: 1 },
      onBatch: () => undefined,
      onRejects: (rejects) => calls.push(rejects.length),
    });
    atOneGo(
      reader.push(
        encoder.encode(`${header}\n${'bad line\n'.repeat(rejectsPerCallMax + 5)}${'#'.repeat(probeBytesMax)}\n`),
      ),
    );
    expect(calls).toEqual([rejectsPerCallMax, 6]);
    atOneGo(reader.end());
    expect(reader.counts).toEqual({ received: rejectsPerCallMax + 6, accepted: 0, rejected: rejectsPerCallMax + 6 });
  });

  test('of times: too old, in the future', () => {
    const source = csv([
      header,
      'm,c,1969-12-31T23:45:00Z,1,Wh',
      'm,c,1970-01-01T00:00:00Z,1,Wh',
      'm,c,2027-01-02T00:00:00Z,1,Wh',
      'm,c,2027-01-02T00:15:00Z,1,Wh',
    ]);
    expect(codesOf(source)).toEqual([
      [2, 'start', 'too-old'],
      [5, 'start', 'in-the-future'],
    ]);
    const limited = csv([header, ...rows(4, 15)], {
      startsFromMs: Date.UTC(2024, 0, 1, 0, 15),
      startsUntilMs: Date.UTC(2024, 0, 1, 0, 30),
    });
    expect(codesOf(limited)).toEqual([
      [2, 'start', 'too-old'],
      [5, 'start', 'in-the-future'],
    ]);
    expect(limited.rows.map(({ line }) => line)).toEqual([3, 4]);
  });
});

describe('the length of intervals', () => {
  test.each([[5], [15], [30], [60], [1_440]])('is deduced from the beginning of the source: %i minutes', (minutes) => {
    expect(lengthsOf(csv([header, ...rows(20, minutes), ...rows(20, minutes, 'm-2')]))).toEqual([minutes]);
  });

  test('is the most frequent step: a gap, a stray row and a repetition do not mislead', () => {
    const lines = [...rows(6, 30), ...rows(30, 30).slice(20), 'm-1,import,2024-01-01T15:07:27Z,1,kWh', ...rows(3, 30)];
    expect(lengthsOf(csv([header, ...lines]))).toEqual([30]);
  });

  test('is found where the latest row stands first', () => {
    expect(lengthsOf(csv([header, ...rows(20, 60).reverse()]))).toEqual([60]);
  });

  test('is found where many meters share each stamp', () => {
    const lines = [0, 30, 60].flatMap((minute) =>
      ['a', 'b', 'c'].map(
        (meter) => `${meter},import,${new Date(Date.UTC(2024, 0, 1) + minute * minuteMs).toISOString()},1,kWh`,
      ),
    );
    expect(lengthsOf(csv([header, ...lines]))).toEqual([30]);
  });

  test('is a quarter of an hour where nothing tells it', () => {
    expect(
      lengthsOf(csv([header, 'a,import,2024-01-01T00:00:00Z,1,kWh', 'b,import,2024-01-01T00:30:00Z,1,kWh'])),
    ).toEqual([15]);
  });

  test('is the registered one of a series, asked once', () => {
    const asked: string[] = [];
    const source = csv([header, ...rows(3, 15), ...rows(2, 15, 'm-2'), ...rows(3, 15)], {
      registeredMs: (meter, channel) => {
        asked.push(`${meter}/${channel}`);
        return meter === 'm-2' ? 3_600_000 : undefined;
      },
    });
    expect(source.rows.map(({ lengthMs }) => lengthMs / minuteMs)).toEqual([15, 15, 15, 60, 60, 15, 15, 15]);
    expect(asked).toEqual(['m-1/import', 'm-2/import']);
  });

  test('is the registered one at the start of each reading, where that changes', () => {
    const changeMs = Date.UTC(2024, 0, 1, 1);
    const lengths = (label: 'start' | 'end') => {
      const stamps = ['00:30', '00:45', '01:00', '02:00', '03:00'].map(
        (time) => `m-1,import,2024-01-01T${time}:00Z,1,kWh`,
      );
      const { mapping: named } = mapping({ time: { column: 'time', label } });
      const source = csv(['meter,channel,time,value,unit', ...stamps], {
        mapping: named,
        registeredMs: () => [
          { fromMs: Date.UTC(2023, 0, 1), intervalMs: 900_000 },
          { fromMs: changeMs, intervalMs: 3_600_000 },
        ],
      });
      return source.rows.map(({ startMs, lengthMs }) => [(startMs - changeMs) / minuteMs, lengthMs / minuteMs]);
    };
    expect(lengths('start')).toEqual([
      [-30, 15],
      [-15, 15],
      [0, 60],
      [60, 60],
      [120, 60],
    ]);
    expect(lengths('end')).toEqual([
      [-45, 15],
      [-30, 15],
      [-15, 15],
      [0, 60],
      [60, 60],
    ]);
  });

  test('is told by the column `end`, which may be empty', () => {
    const source = csv([
      `${header},end`,
      'm,c,2024-01-01T00:00:00Z,1,Wh,2024-01-01T01:00:00Z',
      'm,c,2024-01-01T01:00:00Z,1,Wh,',
      'm,c,2024-01-01T02:00:00Z,1,Wh,2024-01-01T02:00:00Z',
      'm,c,2024-01-01T03:00:00Z,1,Wh,2024-01-01T02:00:00Z',
      'm,c,2024-01-01T03:00:00Z,1,Wh,2024-03-01T02:00:00Z',
    ]);
    expect(source.rows.map(({ lengthMs }) => lengthMs / minuteMs)).toEqual([60, 60, 0]);
    expect(codesOf(source)).toEqual([
      [5, 'end', 'invalid-interval'],
      [6, 'end', 'invalid-interval'],
    ]);
  });

  test('and a label at the end give the start', () => {
    const source = csv(
      ['meter,time,value', 'm,2024-01-01 00:30:00,1', 'm,2024-01-01 01:00:00,2'],
      mapping({ time: { column: 'time', label: 'end' }, interval: { length: '30m' } }),
    );
    expect(source.rows.map(({ startMs }) => new Date(startMs).toISOString())).toEqual([
      '2024-01-01T00:00:00.000Z',
      '2024-01-01T00:30:00.000Z',
    ]);
  });

  test('is none for registers', () => {
    expect(
      lengthsOf(csv(['meter,time,value', 'm,2024-01-01 00:07:11,1'], mapping({ interval: { length: 'register' } }))),
    ).toEqual([0]);
  });
});

describe('the grid', () => {
  const lines = ['meter,time,value', 'm,2024-07-01 00:00:00,1', 'm,2024-07-01 00:10:00,1', 'm,2024-07-01 00:30:00,1'];

  test('is kept where the length is given', () => {
    expect(codesOf(csv(lines, mapping({ interval: { length: '30m' } })))).toEqual([[3, 'time', 'off-grid']]);
  });

  test('is of no concern where the mapping says so, or the length is deduced', () => {
    expect(csv(lines, mapping({ interval: { length: '30m', offGrid: 'accept' } })).rejects).toEqual([]);
    expect(csv(lines, mapping({})).rejects).toEqual([]);
  });

  test('is that of local time', () => {
    const daily = (zone: string): ReadSource =>
      csv(
        ['meter,time,value', 'm,2024-07-01 00:00:00,1', 'm,2024-07-01T00:00:00Z,1'],
        mapping({ time: { column: 'time', zone }, interval: { length: '1d' } }),
      );
    expect(codesOf(daily('Europe/Zurich'))).toEqual([[3, 'time', 'off-grid']]);
    expect(codesOf(daily('UTC'))).toEqual([]);
  });
});

describe('versions and qualities', () => {
  test('a revision, the source’s own version, then none', () => {
    const lines = [
      `${header},version`,
      'm,c,2024-01-01T00:00:00Z,1,Wh,7',
      'm,c,2024-01-01T00:15:00Z,1,Wh,',
      'm,c,2024-01-01T00:30:00Z,1,Wh,0',
    ];
    expect(csv(lines, { sourceVersion: 4 }).rows.map(({ declared }) => declared)).toEqual([7, 4]);
    expect(codesOf(csv(lines))).toEqual([[4, 'version', 'invalid-version']]);
    expect(csv(lines).rows.map(({ declared }) => declared)).toEqual([7, 0]);
  });

  test('a time of creation must say its offset', () => {
    const source = csv(
      [
        'meter,time,value,made',
        'm,2024-01-01 00:00:00,1,2024-01-02T00:00:00Z',
        'm,2024-01-01 00:15:00,1,2024-01-02T00:00:00',
      ],
      mapping({ version: { column: 'made', kind: 'created' } }),
    );
    expect(source.rows.map(({ declared }) => declared)).toEqual([Date.UTC(2024, 0, 2)]);
    expect(codesOf(source)).toEqual([[3, 'made', 'invalid-version']]);
  });

  test('codes mean what the table says and are kept; our names need no table', () => {
    const coded = csv(
      [
        'meter,time,value,q',
        'm,2024-01-01 00:00:00,1,A',
        'm,2024-01-01 00:15:00,1,E',
        'm,2024-01-01 00:30:00,1,',
        'm,2024-01-01 00:45:00,1,?',
      ],
      mapping({ quality: { column: 'q', codes: { A: 'measured', E: 'estimated' }, default: 'calculated' } }),
    );
    expect(coded.rows.map(({ quality, code }) => [quality, code])).toEqual([
      ['measured', 'A'],
      ['estimated', 'E'],
      ['calculated', ''],
    ]);
    expect(codesOf(coded)).toEqual([[5, 'q', 'unknown-quality']]);
    const named = csv([
      `${header},quality`,
      'm,c,2024-01-01T00:00:00Z,1,Wh,estimated',
      'm,c,2024-01-01T00:15:00Z,1,Wh,guessed',
    ]);
    expect(named.rows.map(({ quality, code }) => [quality, code])).toEqual([['estimated', '']]);
    expect(codesOf(named)).toEqual([[3, 'quality', 'unknown-quality']]);
  });

  test('a reading that its source calls missing is withdrawn and needs no value', () => {
    const source = csv([
      `${header},quality`,
      'm,c,2024-01-01T00:00:00Z,,Wh,missing',
      'm,c,2024-01-01T00:15:00Z,5,Wh,missing',
      'm,c,2024-01-01T00:30:00Z,,Wh,',
    ]);
    expect(source.rows.map(({ quality, reason, value }) => [quality, reason, value])).toEqual([
      ['missing', 'withdrawn', '0'],
      ['missing', 'withdrawn', '0'],
    ]);
    expect(codesOf(source)).toEqual([[4, 'value', 'no-value']]);
  });
});

describe('other shapes of files', () => {
  test('semicolons, decimal commas, lines before the header, local time in a pattern, units by other names', () => {
    const lines = [
      'Lastgang 2024',
      '',
      'Zeit;"Wert";Zähler;Einheit',
      '31.03.2024 01:45;1,25;CH1;KWH',
      '31.03.2024 02:15;1,25;CH1;KWH',
      '31.03.2024 03:00;1.250;CH1;KWH',
      '31.03.2024 03:00;"7";CH1;l',
    ];
    const source = csv(
      lines,
      mapping({
        delimiter: ';',
        skipLines: 1,
        meter: { column: 'zähler' },
        time: { column: 'ZEIT', format: 'DD.MM.YYYY HH:mm', zone: 'Europe/Zurich' },
        value: { column: 'wert', decimalMark: ',' },
        unit: { column: 'Einheit', names: { KWH: 'kWh' } },
        interval: { length: '15m' },
      }),
    );
    expect(source.rows.map(({ startMs, value, unit }) => [new Date(startMs).toISOString(), value, unit])).toEqual([
      ['2024-03-31T00:45:00.000Z', '1.25', 'kWh'],
      ['2024-03-31T01:00:00.000Z', '7', 'l'],
    ]);
    expect(codesOf(source)).toEqual([
      [5, 'Zeit', 'nonexistent-local-time'],
      [6, 'Wert', 'invalid-value'],
    ]);
  });

  test('no header, columns by number, epoch seconds', () => {
    const source = csv(
      ['1704067200|x|m-1|3', '1704068100|x|m-1|4', '17040681|x'],
      mapping({
        header: false,
        delimiter: '|',
        meter: { column: 3 },
        time: { column: 1, format: 'epoch-seconds' },
        value: { column: 4 },
      }),
    );
    expect(source.rows.map(({ startMs, value }) => [startMs, value])).toEqual([
      [1_704_067_200_000, '3'],
      [1_704_068_100_000, '4'],
    ]);
    expect(codesOf(source)).toEqual([[3, '', 'wrong-field-count']]);
  });

  test('more decimals than the mapping allows are rejected; zeros at the end are none', () => {
    const source = csv(
      ['meter,time,value', 'm,2024-01-01 00:00:00,1.250', 'm,2024-01-01 00:15:00,1.125'],
      mapping({ value: { column: 'value', decimalsMax: 2 } }),
    );
    expect(source.rows.map(({ value }) => value)).toEqual(['1.25']);
    expect(codesOf(source)).toEqual([[3, 'value', 'too-many-decimals']]);
  });

  test('nothing at all is nothing', () => {
    for (const text of ['', '\n\n', header, `${header}\n`]) {
      expect(csv([text]).counts).toEqual({ received: 0, accepted: 0, rejected: 0 });
    }
  });
});

describe('a source that can’t be read', () => {
  test.each([
    ['missing-column', 'meter_id,channel,begin,value\n'],
    ['duplicate-column', 'meter_id,channel,start,value,unit,Value\n'],
    ['unreadable-header', '"meter_id,channel\n'],
    ['unreadable-header', 'meter_id,channel\u0000,start\n'],
  ])('says so: %s', (code, text) => {
    const error = caught(() => csv([text]));
    expect(error).toBeInstanceOf(UnreadableSourceError);
    expect((error as UnreadableSourceError).code).toBe(code);
  });

  test('says so: UTF-16', () => {
    const bytes = Uint8Array.of(0xff, 0xfe, ...Array.from(encoder.encode(`${header}\n`)).flatMap((byte) => [byte, 0]));
    expect(caught(() => readWhole('csv', [bytes], { mapping: defaultMapping }))).toMatchObject({
      code: 'unsupported-encoding',
    });
  });

  test('names every column that is missing, and those that are there', () => {
    const error = caught(() => csv(['meter_id,channel,begin,value\n'])) as Error;
    expect(error.message).toBe(
      'mapping default does not find the columns of: time (start), unit (unit). The source has: meter_id,channel,begin,value',
    );
  });
});

describe('JSON', () => {
  const readings = [
    { meter: 'm-1', channel: 'import', start: '2024-01-01T00:00:00Z', value: 1.25, unit: 'kWh' },
    {
      meter_id: 7855756,
      channel: 'import',
      start: '2024-01-01T00:00:00+01:00',
      end: '2024-01-01T01:00:00+01:00',
      value: '2.5',
      unit: 'kWh',
      quality: 'estimated',
      version: 3,
      note: { any: ['thing'] },
    },
    { meter: 'm-1', channel: 'import', start: '2024-01-01T00:30:00Z', value: 1e-9, unit: 'kWh' },
  ];
  const read = (format: 'json' | 'ndjson', text: string, pieceBytes = 1_000_000): ReadSource => {
    const bytes = encoder.encode(text);
    const pieces = Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, index) =>
      bytes.slice(index * pieceBytes, (index + 1) * pieceBytes),
    );
    return readWhole(format, pieces, { mapping: defaultMapping });
  };

  test('as lines, a list, a document with readings, or one reading, gives the same', () => {
    const lines = read('ndjson', readings.map((reading) => JSON.stringify(reading)).join('\n'));
    expect(lines.rows).toMatchObject([
      { line: 1, meter: 'm-1', value: '1.25', lengthMs: 1_800_000, declared: 0 },
      {
        line: 2,
        meter: '7855756',
        startMs: Date.UTC(2023, 11, 31, 23),
        value: '2.5',
        lengthMs: 3_600_000,
        quality: 'estimated',
        declared: 3,
      },
      { line: 3, value: '0.000000001' },
    ]);
    expect(read('json', JSON.stringify(readings)).batches).toEqual(lines.batches);
    expect(read('json', `\ufeff${JSON.stringify({ sent: 'now', readings })}`, 7).batches).toEqual(lines.batches);
    expect(read('json', JSON.stringify(readings[1])).rows).toMatchObject([{ line: 1, meter: '7855756' }]);
    expect(
      read('ndjson', readings.map((reading) => `${JSON.stringify(reading)}\r\n\n`).join(''), 3).rows.map(
        ({ line }) => line,
      ),
    ).toEqual([1, 3, 5]);
  });

  test('loses no digits', () => {
    const reading = (value: string): string =>
      `{"meter":"m","channel":"c","start":"2024-01-01T00:00:00Z","value":${value},"unit":"Wh"}`;
    const source = read(
      'ndjson',
      ['9007199254740991', '9007199254740993', '0.1000000000000000055', '4503599627370.497', '123456789012345.6']
        .map(reading)
        .join('\n'),
    );
    expect(source.rows.map(({ value }) => value)).toEqual([
      '9007199254740991',
      '4503599627370.497',
      '123456789012345.6',
    ]);
    expect(codesOf(source)).toEqual([
      [2, 'value', 'value-too-large'],
      [3, 'value', 'too-many-decimals'],
    ]);
  });

  test('rejects what is no reading by line and field, and goes on', () => {
    const good = JSON.stringify(readings[0]);
    const lines = [
      good,
      '{"meter":',
      '[]',
      '7',
      'null',
      '{}',
      good.replace('1.25', 'null'),
      good.replace('1.25', '[1]'),
      good.replace('"kWh"', 'true'),
      good.replace('m-1', '\\ud800'),
      `${'['.repeat(9)}${']'.repeat(9)}`,
      good.replace('1.25', '"\u0001"'),
      good,
    ];
    const source = read('ndjson', lines.join('\n'));
    expect(codesOf(source)).toEqual([
      [2, '', 'invalid-json'],
      [3, '', 'not-an-object'],
      [4, '', 'not-an-object'],
      [5, '', 'not-an-object'],
      [6, 'meter_id', 'missing-meter'],
      [7, 'value', 'no-value'],
      [8, 'value', 'invalid-type'],
      [9, 'unit', 'invalid-type'],
      [10, 'meter_id', 'invalid-meter'],
      [11, '', 'too-deep'],
      [12, '', 'control-character'],
    ]);
    expect(source.counts).toEqual({ received: 13, accepted: 2, rejected: 11 });
    expect(codesOf(read('json', `[${good},3,{}]`))).toEqual([
      [2, '', 'not-an-object'],
      [3, 'meter_id', 'missing-meter'],
    ]);
  });

  test('takes no reading of a channel that stands for a register', () => {
    const source = read('ndjson', JSON.stringify({ ...readings[0], channel: 'import@gas-day' }));
    expect(source.rejects.map(({ code }) => code)).toEqual(['invalid-channel']);
  });

  test('takes no reading of a meter that stands for a group', () => {
    const source = read('ndjson', JSON.stringify({ ...readings[0], meter_id: 'group:area' }));
    expect(codesOf(source)).toEqual([[1, 'meter_id', 'invalid-meter']]);
  });

  test('takes nothing of a document that is none, too large or too deep', () => {
    const code = (text: string): unknown => (caught(() => read('json', text)) as UnreadableSourceError).code;
    expect(code('[{"meter":1},')).toBe('invalid-json');
    expect(code('')).toBe('invalid-json');
    expect(code('"text"')).toBe('no-readings');
    expect(code('{"readings":3}')).toBe('no-readings');
    expect(code('['.repeat(100_000))).toBe('too-deep');
    expect(code(' '.repeat(documentBytesMax + 1))).toBe('document-too-large');
    expect(caught(() => readWhole('json', [Uint8Array.of(34, 255, 34)], { mapping: defaultMapping }))).toMatchObject({
      code: 'invalid-utf8',
    });
  });

  test('can’t take columns by number', () => {
    const byNumber = mapping({ meter: { column: 1 } });
    for (const format of ['json', 'ndjson'] as const) {
      expect(caught(() => readWhole(format, [], byNumber))).toMatchObject({ code: 'missing-column' });
    }
  });
});

describe('a source that does not tell the length of its intervals', () => {
  const line = (meter: string, start: string, end = ''): string => `${meter},c,${start},${end},1,kWh\n`;
  const assumed = (lines: readonly string[], options: Partial<ReaderOptions> = {}): number => {
    const reader = createReader('csv', {
      mapping: defaultMapping,
      header: { tenant: 'acme', layer: 'raw', sourceId: 's', acceptedAtMs: testAcceptedAtMs, activation: 1 },
      onBatch: () => undefined,
      onRejects: () => undefined,
      ...options,
    });
    atOneGo(reader.push(Buffer.from(`meter_id,channel,start,end,value,unit\n${lines.join('')}`)));
    atOneGo(reader.end());
    return reader.remarked.assumed;
  };

  test('says how many readings count as of 15 minutes', () => {
    const [first, next] = [line('a', '2024-01-01T00:00:00Z'), line('a', '2024-01-01T00:30:00Z')];
    expect(assumed([first])).toBe(1);
    expect(assumed([first, line('b', '2024-01-01T00:00:00Z'), line('c', '1914-01-01'), 'x\n'])).toBe(2);
    expect(assumed([first, next])).toBe(0);
    expect(assumed([line('a', '2024-01-01T00:00:00Z', '2024-01-01T00:30:00Z'), line('b', '2024-01-01')])).toBe(1);
    expect(
      assumed([first, line('b', '2024-01-01')], { registeredMs: (meter) => (meter === 'a' ? 1 : undefined) }),
    ).toBe(1);
  });
});

function caught(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}
