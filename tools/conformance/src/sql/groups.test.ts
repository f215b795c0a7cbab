import { DuckDBInstance } from '@duckdb/node-api';
import {
  calendarOf,
  ContributionSum,
  dayMs,
  hourMs,
  MemberContribution,
  qualityBits,
  qualitySet,
  slotCount,
  sumInteger,
  type Contribution,
  type DaySlots,
  type MemberStretch,
} from '@meterflow/aggregates';
import { MemoryReadingStore } from '@meterflow/idempotent-writes/memory';
import { BatchBuilder, qualities, qualityCode, rawVersion, ReadingRow, type Quality } from '@meterflow/readings';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const quarterMs = hourMs / 4;
const members = 12;

/** One row of a source: values are thousandths, a later version corrects an earlier one. */
interface SourceRow {
  readonly member: number;
  readonly startMs: number;
  readonly lengthMs: number;
  readonly milli: number;
  readonly quality: Quality;
  readonly version: number;
}

interface Source {
  readonly rows: readonly SourceRow[];
  readonly stretches: readonly (MemberStretch & { readonly member: number; readonly intervalMs: number })[];
}

/** Members that come, go and change their interval within the days, with gaps, repeated rows and corrections, out of order. */
function source(fromMs: number, toMs: number): fc.Arbitrary<Source> {
  const quarters = (toMs - fromMs) / quarterMs;
  const row = fc
    .record({
      member: fc.nat(members - 1),
      slot: fc.nat(quarters - 1),
      isHour: fc.boolean(),
      milli: fc.integer({ min: -5_000_000, max: 50_000_000 }),
      quality: fc.constantFrom(...qualities),
      versions: fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 }),
    })
    .map(({ member, slot, isHour, milli, quality, versions }) =>
      versions.map((version, index) => ({
        member,
        startMs: fromMs + (isHour ? slot - (slot % 4) : slot) * quarterMs,
        lengthMs: isHour ? hourMs : quarterMs,
        milli: milli + index,
        quality,
        version: version + slot * 10,
      })),
    );
  const stretches = fc
    .array(fc.tuple(fc.nat(quarters), fc.nat(quarters), fc.nat(quarters), fc.boolean()), {
      minLength: members,
      maxLength: members,
    })
    .map((all) =>
      all.flatMap(([a, b, c, hourFirst], member) => {
        const [from = 0, change = 0, to = 0] = [a, b, c].sort((x, y) => x - y).map((slot) => fromMs + slot * quarterMs);
        // On the hour: an hour that goes on beside the quarters would make one quality of both.
        const turn = Math.max(from, change - ((change - fromMs) % hourMs));
        return [
          { member, fromMs: from, toMs: turn, intervalMs: hourFirst ? hourMs : quarterMs },
          { member, fromMs: turn, toMs: to, intervalMs: hourFirst ? quarterMs : hourMs },
        ];
      }),
    );
  return fc.record({ rows: fc.array(row, { minLength: 600, maxLength: 800 }).map(unlike), stretches });
}

/** Of one reading and version there is one value; it may come twice. */
function unlike(rows: readonly (readonly SourceRow[])[]): SourceRow[] {
  const first = new Map<string, SourceRow>();
  const identity = ({ member, startMs, lengthMs, version }: SourceRow) =>
    [member, startMs, lengthMs, version].join(' ');
  return rows.flat().map((row) => {
    const known = first.get(identity(row)) ?? row;
    first.set(identity(row), known);
    return known;
  });
}

interface ShownSlot {
  readonly startMs: number;
  /** In 10^-5. */
  readonly sum: string;
  readonly qualities: string;
}

const tenant = 'default';

async function ours({ rows, stretches }: Source, day: DaySlots): Promise<readonly ShownSlot[]> {
  const store = new MemoryReadingStore();
  for (let from = 0; from < rows.length; from += 100) {
    const builder = new BatchBuilder(100);
    for (const row of rows.slice(from, from + 100)) {
      const reading = new ReadingRow();
      reading.series = builder.series(`m${row.member}`, 'import');
      reading.version = builder.version(rawVersion(row.version, 0));
      reading.startMs = row.startMs;
      reading.lengthMs = row.lengthMs;
      reading.integer = row.milli;
      reading.decimals = 3;
      reading.quality = qualityCode(row.quality);
      reading.unit = builder.text('kWh');
      builder.append(reading);
    }
    const header = { tenant, layer: 'validated', sourceId: 's', acceptedAtMs: 1, activation: 1 } as const;
    await store.write([{ key: `batch ${from}`, batch: builder.finish(header) }]);
  }
  const [sum, member] = [new ContributionSum(), new MemberContribution()];
  sum.reset(day, 'kWh');
  for (let index = 0; index < members; index++) {
    const series = { tenant, meter: `m${index}`, channel: 'import', layer: 'validated' } as const;
    const segments = await store.read({ ...series, fromMs: day.startMs - dayMs, toMs: day.endMs });
    const own = stretches.filter((stretch) => stretch.member === index);
    sum.add(
      member.of(
        { ...day, unit: 'kWh', stretches: own },
        segments.map(({ columns }) => columns),
      ),
    );
  }
  return shownSlots(sum.finish());
}

function shownSlots(group: Contribution): readonly ShownSlot[] {
  return Array.from({ length: slotCount(group) }, (_, slot) => ({
    startMs: group.startMs + slot * group.slotMs,
    sum: String(sumInteger(group.sumHigh[slot] ?? NaN, group.sumLow[slot] ?? NaN) * 10n ** BigInt(5 - group.decimals)),
    qualities: qualitySet(qualityBits(group, slot)).sort().join(' '),
  }));
}

/** The same from the rows alone, by a database that knows time zones of its own. */
async function theirs({ rows, stretches }: Source, zone: string, date: string): Promise<readonly ShownSlot[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const values = rows.map(
      (row) => `(${row.member}, ${row.startMs}, ${row.lengthMs}, ${row.milli}, '${row.quality}', ${row.version})`,
    );
    await connection.run(`create table source as from (values ${values.join(',')})
      as t(member, start_ms, length_ms, milli, quality, version)`);
    const spans = stretches.map((span) => `(${span.member}, ${span.fromMs}, ${span.toMs}, ${span.intervalMs})`);
    await connection.run(
      `create table stretch as from (values ${spans.join(',')}) as t(member, from_ms, to_ms, length_ms)`,
    );
    const answer = await connection.runAndReadAll(`
      with day as (
        select epoch_ms(timezone('${zone}', timestamp '${date} 00:00:00')) as from_ms,
               epoch_ms(timezone('${zone}', timestamp '${date} 00:00:00' + interval 1 day)) as to_ms),
      latest as (
        select member, start_ms, length_ms, arg_max(milli, version) as milli, arg_max(quality, version) as quality
        from source group by all),
      slot as (select unnest(generate_series(from_ms, to_ms - 1, ${quarterMs})) as slot_ms from day),
      due as (
        select s.slot_ms, m.member, m.length_ms, s.slot_ms - (s.slot_ms - day.from_ms) % m.length_ms as start_ms
        from slot s cross join day join stretch m
          on s.slot_ms - (s.slot_ms - day.from_ms) % m.length_ms between m.from_ms and m.to_ms - 1),
      given as (
        select d.slot_ms, coalesce(l.quality, 'missing') as quality,
               case when coalesce(l.quality, 'missing') = 'missing' then 0
                    else l.milli::hugeint * 100 * ${quarterMs} // d.length_ms end as amount
        from due d left join latest l using (member, start_ms, length_ms))
      select s.slot_ms::varchar, coalesce(sum(amount), 0)::varchar,
             coalesce(array_to_string(list_sort(list(distinct quality)), ' '), '')
      from slot s left join given g using (slot_ms) group by s.slot_ms order by s.slot_ms`);
    const found = answer.getRowsJson() as [startMs: string, sum: string, qualities: string][];
    return found.map(([startMs, sum, all]) => ({ startMs: Number(startMs), sum, qualities: all }));
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

describe('a group in quarters', () => {
  test.each([
    ['Europe/Zurich', '2019-03-31', 92],
    ['Europe/Zurich', '2019-10-27', 100],
    ['Europe/London', '2013-03-31', 92],
    ['Europe/Copenhagen', '2023-10-29', 100],
    ['America/St_Johns', '2019-03-10', 92],
    ['America/St_Johns', '2019-11-03', 100],
    ['Australia/Lord_Howe', '2019-10-06', 94],
    ['Australia/Lord_Howe', '2019-04-07', 98],
  ])('is what SQL finds in the rows, in %s on %s', async (zone, date, slots) => {
    const calendar = calendarOf(zone);
    const localDay = Date.parse(date) / dayMs;
    const day = { startMs: calendar.dayStartMs(localDay), endMs: calendar.dayStartMs(localDay + 1), slotMs: quarterMs };
    const [given] = fc.sample(source(day.startMs, day.endMs), { numRuns: 1, seed: localDay });
    const [found, expected] = [await ours(given as Source, day), await theirs(given as Source, zone, date)];
    expect(expected).toHaveLength(slots);
    expect(found).toEqual(expected);
    expect(new Set(expected.flatMap((slot) => slot.qualities.split(' '))).size).toBeGreaterThanOrEqual(5);
  });
});
