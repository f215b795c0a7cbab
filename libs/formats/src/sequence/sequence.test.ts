import fc from 'fast-check';
import { utcText } from '@meterflow/readings';
import type { Remark } from '@meterflow/receipts';
import { describe, expect, test } from 'vitest';
import {
  atOneGo,
  createReader,
  InvalidMappingError,
  parseMapping,
  type MappingInput,
  type ReaderOptions,
  type SeriesEnd,
} from '../index.ts';
import { descendingLinesMax } from '../limits.ts';
import { LocalClock } from '../local-clock.ts';
import { RejectList } from '../reject-list.ts';
import { RemarkList } from '../remark-list.ts';
import { Stretch } from '../row.ts';
import { newSeries } from '../series-table.ts';
import { readWhole } from '../testing/index.ts';
import { SequenceRows } from './sequence-rows.ts';

type Sequence = NonNullable<MappingInput['sequence']>;

const encoder = new TextEncoder();

function mappingOf(sequence: Sequence, rest: Partial<MappingInput> = {}) {
  return parseMapping({
    name: 'counters',
    header: false,
    meter: { column: 1 },
    channel: { constant: 'import' },
    time: { column: 3, ...(sequence.stamps === 'end-only' ? { label: 'end' } : {}) },
    interval: sequence.stamps === 'end-only' ? {} : { end: { column: 4 } },
    value: { column: 2 },
    unit: { constant: 'kWh' },
    sequence,
    ...rest,
  });
}

interface Read {
  readonly rows: readonly string[];
  readonly rejects: readonly string[];
  readonly remarks: readonly string[];
  readonly ends: ReadonlyMap<string, SeriesEnd | undefined>;
  readonly leftOut: number;
}

/** `line meter start/minutes value` of each reading; `line code` of each reject and remark. */
function read(
  lines: readonly string[],
  sequence: Sequence,
  options: Partial<ReaderOptions> & { readonly mappingRest?: Partial<MappingInput> } = {},
): Read {
  const { mappingRest, ...rest } = options;
  const remarks: Remark[] = [];
  const reader = createReader('csv', {
    mapping: mappingOf(sequence, mappingRest),
    header: { tenant: 'acme', layer: 'raw', sourceId: 's', acceptedAtMs: Date.UTC(2026, 1), activation: 1 },
    onBatch: () => undefined,
    onRejects: () => undefined,
    ...rest,
  });
  const bytes = encoder.encode(`${lines.join('\n')}\n`);
  atOneGo(reader.push(bytes));
  atOneGo(reader.end());
  const { rows, rejects } = readWhole('csv', [bytes], {
    mapping: mappingOf(sequence, mappingRest),
    onRemarks: (some) => remarks.push(...some),
    ...rest,
  });
  return {
    rows: rows.map(
      ({ line, meter, startMs, lengthMs, value }) =>
        `${line} ${meter} ${utcText(startMs).slice(5, 16)}/${lengthMs / 60_000} ${value}`,
    ),
    rejects: rejects.map(({ line, code }) => `${line} ${code}`),
    remarks: remarks.map(({ line, code }) => `${line} ${code}`),
    ends: new Map(reader.ends.map(({ name, end }) => [name.meter, end])),
    leftOut: reader.leftOut,
  };
}

/** Hours of 2024-05-01 from 0 on. */
const at = (hour: number, minute = 0): string =>
  `2024-05-01 ${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
const hours = (values: readonly (number | string)[], meter = 'm'): string[] =>
  values.map((value, hour) => `${meter},${value},${at(hour)},${at(hour + 1)}`);

describe('cumulative values', () => {
  test('become what the counter rose by; the first line has nothing before it', () => {
    const { rows, rejects, leftOut } = read(hours([10, 12.5, '12.75', 20]), { cumulative: {} });
    expect(rows).toEqual(['2 m 05-01T01:00/60 2.5', '3 m 05-01T02:00/60 0.25', '4 m 05-01T03:00/60 7.25']);
    expect(rejects).toEqual(['1 first-of-counter']);
    expect(leftOut).toBe(1);
  });

  test('go on where the source before ended', () => {
    const endMs = Date.UTC(2024, 4, 1);
    const endBefore = () => ({ endMs, endOffsetMs: 0, integer: 95, decimals: 1 });
    const { rows, ends } = read(hours([10, 12]), { cumulative: {} }, { endBefore });
    expect(rows).toEqual(['1 m 05-01T00:00/60 0.5', '2 m 05-01T01:00/60 2']);
    expect(ends.get('m')).toMatchObject({ endMs: endMs + 7_200_000, integer: 12, decimals: 0, lengthMs: 3_600_000 });
  });

  test('are told apart by series', () => {
    const lines = hours([10, 11, 13], 'a').flatMap((line, index) => [line, hours([100, 120, 150], 'b')[index]!]);
    const { rows } = read(lines, { cumulative: {} });
    expect(rows.map((row) => row.split(' ').at(-1))).toEqual(['1', '20', '2', '30']);
  });

  test.each([
    ['never', 1, ['3 counter-went-back']],
    ['anytime', 2, []],
    [{ from: '01:30', to: '02:00' }, 2, []],
    [{ from: '22:00', to: '02:00' }, 2, []],
    [{ from: '02:00:00.001', to: '03:00' }, 1, ['3 counter-went-back']],
  ] as const)('that go back are a reset where it is allowed: %j', (reset, taken, wrong) => {
    const { rows, rejects } = read(hours([10, 20, 5]), { cumulative: { reset } });
    expect(rows).toHaveLength(taken);
    expect(rejects.slice(1)).toEqual(wrong);
    expect(rows[1]).toBe(taken === 2 ? '3 m 05-01T02:00/60 5' : undefined);
  });

  test('reset by the local time of the zone where readings stand at instants', () => {
    const sequence: Sequence = { cumulative: { reset: { from: '04:00', to: '04:00' } } };
    const time = { column: 3, zone: 'Europe/Zurich' };
    const lines = hours([10, 20, 5]).map((line) => line.replaceAll(/(\d\d:\d\d)/g, '$1Z'));
    expect(read(lines, sequence, { mappingRest: { time } }).rejects).toEqual(['1 first-of-counter']);
  });

  test('below zero are bad lines wherever they stand: nothing is counted from them', () => {
    const { rows, rejects } = read(hours([-5, 10, 15, -1, 30, 37]), { cumulative: { reset: 'anytime' } });
    expect(rejects).toEqual(['1 negative-counter', '2 first-of-counter', '4 negative-counter', '5 gap-in-counter']);
    expect(rows).toEqual(['3 m 05-01T02:00/60 5', '6 m 05-01T05:00/60 7']);
    const reject = { mappingRest: { onBadLine: 'reject-source' } } as const;
    expect(read(hours([-5, 10, 15]), { cumulative: {} }, reject).leftOut).toBe(1);
  });

  test('that do not follow on are left out; the next goes on from them', () => {
    const lines = [
      `m,10,${at(0)},${at(1)}`,
      `m,20,${at(0, 59)},${at(2)}`,
      `m,30,${at(2)},${at(3)}`,
      `m,40,${at(3, 1)},${at(4)}`,
      `m,50,${at(4)},${at(4)}`,
      `m,55,${at(4)},${at(5)}`,
    ];
    const { rows, rejects } = read(lines, { cumulative: {} });
    expect(rows).toEqual(['3 m 05-01T02:00/60 10', '6 m 05-01T04:00/60 5']);
    expect(rejects.slice(1)).toEqual(['2 before-previous-end', '4 gap-in-counter', '5 no-time-passed']);
    expect(read(lines, { cumulative: {}, gapMsMax: 60_000 }).rows).toContain('4 m 05-01T03:01/59 10');
  });

  test('sum up to what the counter rose by, in whatever pieces the sources come', () => {
    const rises = fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(rises, fc.nat(20), (all, cut) => {
        const counter = all.map((_, index) => all.slice(0, index + 1).reduce((sum, rise) => sum + rise, 0) / 1_000);
        const lines = hours(counter);
        const first = read(lines.slice(0, cut), { cumulative: {} });
        const second = read(lines.slice(cut), { cumulative: {} }, { endBefore: () => first.ends.get('m') });
        const values = [...first.rows, ...second.rows].map((row) => Math.round(Number(row.split(' ').at(-1)) * 1_000));
        expect(values).toEqual(all.slice(1));
      }),
      { numRuns: 50 },
    );
  });
});

describe('the order and the number of lines', () => {
  test('descending lines give the readings of ascending ones', () => {
    const down = read(hours([10, 12, 15]).reverse(), { cumulative: {}, order: 'descending' });
    expect(down.rows).toEqual(['1 m 05-01T02:00/60 3', '2 m 05-01T01:00/60 2']);
    expect(down.rejects).toEqual(['3 first-of-counter']);
  });

  test('more descending lines than are kept refuse the source', () => {
    const { sequence, ...mapping } = mappingOf({ order: 'descending' });
    const rows = new SequenceRows({
      mapping: { ...mapping, sequence: sequence! },
      clock: new LocalClock('UTC'),
      endBefore: () => undefined,
      sink: { take: () => undefined },
      rejects: new RejectList(() => undefined),
      remarks: new RemarkList(() => undefined),
    });
    const stretch = new Stretch(newSeries('m', 'import'));
    for (let line = 0; line < descendingLinesMax; line++) {
      rows.take(stretch, () => undefined);
    }
    expect(() => {
      rows.take(stretch, () => undefined);
    }).toThrow('descending order');
  });

  test.each(['ascending', 'descending'] as const)('of repeats one counts, %s', (order) => {
    const lines = hours([10, 12, 15]).flatMap((line) => [line, line, line]);
    const { rows } = read(order === 'ascending' ? lines : lines.reverse(), { cumulative: {}, repeats: 3, order });
    expect(rows.map((row) => row.split(' ').at(-1)).sort()).toEqual(['2', '3']);
  });

  test('lines that tell their end alone start where the one before ends', () => {
    const lines = [2, 3, 3, 5].map((hour, index) => `m,${index},${at(hour)}`);
    const { rows, rejects } = read(lines, { stamps: 'end-only' });
    expect(rows).toEqual(['2 m 05-01T02:00/60 1', '4 m 05-01T03:00/120 3']);
    expect(rejects).toEqual(['1 first-end', '3 no-time-passed']);
  });

  test('lines with a length of their own need no end', () => {
    const rest = { interval: { length: '30m' }, time: { column: 3, label: 'end' } } as const;
    const { rows } = read([`m,1,${at(1)}`, `m,3,${at(1, 30)}`], { cumulative: {} }, { mappingRest: rest });
    expect(rows).toEqual(['2 m 05-01T01:00/30 2']);
  });

  test('late starts, lengths that vary and overlaps are remarked beyond what is allowed, and taken', () => {
    const lines = [`m,1,${at(0)},${at(1)}`, `m,2,${at(1, 2)},${at(2)}`, `m,3,${at(1, 58)},${at(3)}`];
    const noGaps = ({ remarks }: Read) => remarks.filter((remark) => !remark.endsWith(' gap'));
    expect(read(lines, {}).rows).toHaveLength(3);
    expect(noGaps(read(lines, {}))).toEqual(['2 late-start', '2 length-varies', '3 out-of-order', '3 length-varies']);
    expect(noGaps(read(lines, { gapMsMax: 120_000, lengthVariationMsMax: 240_000 }))).toEqual(['3 out-of-order']);
  });
});

describe('readings on the wall clock', () => {
  const zone = 'America/Chicago';
  const evened: Sequence = { wallClock: { zone, changes: 'evened' } };

  test('stand at what was written, whatever the offset', () => {
    const { rows } = read(['m,1,2024-05-01 00:00-05:00,2024-05-01 01:00-05:00'], { wallClock: {} });
    expect(rows).toEqual(['1 m 05-01T00:00/60 1']);
  });

  test.each([
    ['2024-03-10 01:00-06:00', '2024-03-10 03:00-05:00', ['03-10T01:00/60 9']],
    ['2024-03-10 02:00-06:00', '2024-03-10 03:30-05:00', ['03-10T03:00/30 9']],
    ['2024-03-10 01:30-06:00', '2024-03-10 04:00-05:00', ['03-10T01:30/30 3', '03-10T03:00/60 6']],
    [
      '2024-03-10 00:00-06:00',
      '2024-03-11 00:00-05:00',
      ['03-10T00:00/120 0.782608696', '03-10T03:00/1260 8.217391304'],
    ],
  ])('are split around the hour that clocks skip, and lose nothing: %s to %s', (start, end, expected) => {
    expect(read([`m,9,${start},${end}`], evened).rows).toEqual(expected.map((row) => `1 m ${row}`));
  });

  test('of the hour that clocks repeat count once, by the part that is new', () => {
    const lines = [
      'm,1,2024-11-03 01:20-05:00,2024-11-03 01:45-05:00',
      'm,2,2024-11-03 01:45-05:00,2024-11-03 01:10-06:00',
      'm,4,2024-11-03 01:10-06:00,2024-11-03 01:35-06:00',
      'm,50,2024-11-03 01:35-06:00,2024-11-03 02:00-06:00',
    ];
    const { rows, rejects, ends } = read(lines, evened);
    expect(rows).toEqual(['1 m 11-03T01:20/25 1', '4 m 11-03T01:45/15 30']);
    expect(rejects).toEqual(['2 repeated-hour', '3 repeated-hour']);
    expect(ends.get('m')?.repeatsUntilMs).toBeUndefined();
    const first = read(lines.slice(0, 2), evened);
    const second = read(lines.slice(2), evened, { endBefore: () => first.ends.get('m') });
    expect([...first.rows, ...second.rows].map((row) => row.slice(2))).toEqual(rows.map((row) => row.slice(2)));
  });

  test('whose offsets differ where the zone keeps its clocks are bad lines', () => {
    const { rejects, leftOut } = read(['m,1,2024-05-01 00:00-06:00,2024-05-01 02:00-05:00'], evened);
    expect([rejects, leftOut]).toEqual([['1 invalid-time'], 0]);
  });
});

describe('a mapping with a sequence', () => {
  test.each([
    [{}, { interval: {} }, 'sequence.stamps'],
    [{ stamps: 'end-only' }, { interval: { end: { column: 4 } }, time: { column: 3 } }, 'interval.end'],
    [{ cumulative: { reset: { from: '25:00', to: '01:00' } } }, {}, 'sequence.cumulative.reset'],
    [{ repeats: 0 }, {}, 'sequence.repeats'],
    [{ wallClock: { zone: 'Chicago' } }, {}, 'sequence.wallClock.zone'],
  ] as const)('that contradicts itself is refused: %j %j', (sequence, rest, path) => {
    expect(() => mappingOf(sequence as Sequence, rest)).toThrow(InvalidMappingError);
    expect(() => mappingOf(sequence as Sequence, rest)).toThrow(path);
  });
});
