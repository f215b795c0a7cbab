import { MadeReadingsBuilder, madeWithin, type MadeReading, type MadeReadings } from '@meterflow/rules';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  DaysMade,
  madeKeptDays,
  eraseDaysMade,
  madeRunsMax,
  OvertakenError,
  type KnownMade,
  type SeriesMade,
} from './days-made.ts';
import { MemoryRegistry } from './testing/index.ts';

const tenant = 'acme';
const series = { meter: 'm/1', channel: 'import' };
const dayMs = 86_400_000;
const keptMs = madeKeptDays * dayMs;

interface Run {
  readonly ticket: number;
  readonly activation?: number;
  /** Days [from, to). */
  readonly days: readonly [from: number, to: number];
  readonly made: readonly MadeReading[];
}

function readingsOf(made: readonly MadeReading[]): MadeReadings {
  const builder = new MadeReadingsBuilder();
  made.forEach((reading) => {
    builder.add(reading, reading.startMs, reading.lengthMs);
  });
  return builder.finish();
}

const at = (day: number, channel = 'import'): MadeReading => ({ channel, startMs: day * dayMs + 5, lengthMs: 60 });

function writeOf({ ticket, activation = 1, days: [from, to], made }: Run, known: KnownMade): SeriesMade {
  const days = Array.from({ length: to - from }, (_, index) => ({
    fromMs: (from + index) * dayMs,
    toMs: (from + index + 1) * dayMs,
  }));
  return { tenant, series, activation, ticket, days, made: readingsOf(made), known };
}

class Rig {
  nowMs = 0;
  readonly registry = new MemoryRegistry();
  readonly daysMade = new DaysMade({ registry: this.registry, nowMs: () => this.nowMs });

  known(): Promise<KnownMade> {
    return this.daysMade.of(tenant, series);
  }

  async write(run: Run, known?: KnownMade): Promise<void> {
    await this.daysMade.write([writeOf(run, known ?? (await this.known()))]);
  }

  /** `from–to ticket readings` of each span. */
  async shown(): Promise<string[]> {
    const { spans } = await this.known();
    return spans.map(({ fromMs, toMs, ticket, made }) => {
      const count = [...madeWithin(made, -Infinity, Infinity)].length;
      return `${fromMs / dayMs}–${toMs / dayMs} ${ticket} ${count}`;
    });
  }
}

test('the last run of each day is known, with what it made of just that day', async () => {
  const rig = new Rig();
  await rig.write({ ticket: 1, days: [0, 5], made: [at(0), at(2), at(4)] });
  await rig.write({ ticket: 2, days: [2, 3], made: [at(2), at(2, 'net')] });
  expect(await rig.shown()).toEqual(['0–2 1 1', '2–3 2 2', '3–5 1 1']);
});

test('a run that one of a higher stamp overtook writes nothing, where that one stated the same readings', async () => {
  const rig = new Rig();
  const before = await rig.known();
  await rig.write({ ticket: 2, days: [0, 2], made: [at(0), at(1)] });
  await rig.write({ ticket: 1, days: [0, 3], made: [at(0), at(2)] }, before);
  expect(await rig.shown()).toEqual(['0–2 2 2', '2–3 1 1']);
  await expect(rig.write({ ticket: 1, days: [0, 1], made: [at(0, 'net')] }, before)).rejects.toThrow(OvertakenError);
  const activated = { ticket: 1, activation: 2, days: [0, 1], made: [at(0)] } as const;
  await rig.write(activated);
  expect(await rig.shown()).toEqual(['0–1 1 1', '1–2 2 1', '2–3 1 1']);
});

test('a run of a higher stamp writes over a lower one that it did not know, where it stated all that that one had', async () => {
  const rig = new Rig();
  const before = await rig.known();
  await rig.write({ ticket: 1, days: [0, 1], made: [at(0)] });
  await expect(rig.write({ ticket: 2, days: [0, 1], made: [] }, before)).rejects.toThrow(OvertakenError);
  await rig.write({ ticket: 2, days: [0, 1], made: [at(0), at(0, 'net')] }, before);
  expect(await rig.shown()).toEqual(['0–1 2 2']);
  // What it knew and the store showed meanwhile need not be stated again.
  await rig.write({ ticket: 3, days: [0, 1], made: [] });
  expect(await rig.shown()).toEqual(['0–1 3 0']);
});

test('many runs at once, of days that nobody shares, are all known', async () => {
  const rig = new Rig();
  const before = await rig.known();
  await Promise.all([0, 1, 2, 3].map((day) => rig.write({ ticket: day + 1, days: [day, day + 1], made: [] }, before)));
  expect(await rig.shown()).toEqual(['0–1 1 0', '1–2 2 0', '2–3 3 0', '3–4 4 0']);
});

test('what was written down long ago is forgotten with the next run of the series', async () => {
  const rig = new Rig();
  await rig.write({ ticket: 1, days: [0, 2], made: [] });
  rig.nowMs = keptMs - 1;
  await rig.write({ ticket: 2, days: [2, 3], made: [] });
  expect(await rig.shown()).toEqual(['0–2 1 0', '2–3 2 0']);
  rig.nowMs = keptMs;
  await rig.write({ ticket: 3, days: [5, 6], made: [] });
  expect(await rig.shown()).toEqual(['2–3 2 0', '5–6 3 0']);
});

test('more than an entry may hold is forgotten: what was written first, and of one run its first days', async () => {
  const rig = new Rig();
  // At no equal steps: each one or two readings are a run of their own.
  const scattered = (days: number): MadeReading[] =>
    Array.from({ length: days }, (_, day) => at(day)).flatMap((reading) =>
      [0, 1, 3].map((square) => ({
        ...reading,
        startMs: reading.startMs + square ** 3 * 1000 + reading.startMs / dayMs,
      })),
    );
  const runsOf = async (): Promise<number> =>
    (await rig.known()).spans.reduce(
      (sum, { made }) => sum + 1 + made.reduce((all, { runs }) => all + runs.length, 0),
      0,
    );
  await rig.write({ ticket: 1, days: [9_000, 9_002], made: [at(9_000)] });
  const made = scattered(9_000);
  rig.nowMs = 1;
  await rig.write({ ticket: 2, days: [0, 9_000], made });
  expect(await runsOf()).toBeLessThanOrEqual(madeRunsMax);
  expect(await runsOf()).toBeGreaterThan(madeRunsMax / 4);
  const [span] = (await rig.known()).spans;
  expect(span).toMatchObject({ ticket: 2, toMs: 9_000 * dayMs });
  expect([...madeWithin(span!.made, -Infinity, Infinity)]).toEqual(
    made.filter(({ startMs }) => startMs >= span!.fromMs),
  );
  rig.nowMs = 2;
  await rig.write({ ticket: 3, days: [9_500, 9_501], made: [at(9_500)] });
  expect((await rig.shown()).at(-1)).toBe('9500–9501 3 1');
});

test('it is forgotten with the readings of a channel, a meter or a tenant, and a run under way goes on', async () => {
  const rig = new Rig();
  await rig.write({ ticket: 1, days: [0, 1], made: [at(0)] });
  const known = await rig.known();
  await eraseDaysMade(rig.registry, tenant, { meter: 'other' });
  expect(await rig.shown()).toEqual(['0–1 1 1']);
  await eraseDaysMade(rig.registry, tenant, series);
  expect(await rig.shown()).toEqual([]);
  await rig.write({ ticket: 2, days: [0, 1], made: [] }, known);
  expect(await rig.shown()).toEqual(['0–1 2 0']);
});

/** Runs that know what was known some writes ago. */
const runs = fc.array(
  fc.record({
    from: fc.nat(4),
    length: fc.integer({ min: 1, max: 3 }),
    makes: fc.subarray([0, 1, 2, 3, 4, 5, 6]),
    knewAgo: fc.nat(3),
    stamp: fc.nat(99),
  }),
  { maxLength: 8 },
);

test('law: whatever runs, the one that counts on a day stated all that any lower one may have on its way', async () => {
  await fc.assert(
    fc.asyncProperty(runs, async (plan) => {
      const rig = new Rig();
      const first = await rig.known();
      const known = [first];
      const left = new Map<number, { readonly stamp: number; readonly made: Set<number> }[]>();
      for (const [number, { from, length, makes, knewAgo, stamp }] of plan.entries()) {
        const ticket = stamp * 10 + number + 1;
        const days = [from, from + length] as const;
        const knew = known.at(-1 - knewAgo) ?? first;
        const pending = knew.spans.flatMap(({ made }) => [...madeWithin(made, from * dayMs, (from + length) * dayMs)]);
        const own = makes.filter((day) => day >= from && day < from + length).map((day) => at(day));
        const run = { ticket, days, made: [...own, ...pending] };
        const isOut = await rig.write(run, knew).then(
          () => true,
          () => false,
        );
        for (let day = from; isOut && day < from + length; day++) {
          const made = new Set(
            run.made.filter(({ startMs }) => Math.floor(startMs / dayMs) === day).map((one) => one.startMs),
          );
          left.set(day, [...(left.get(day) ?? []), { stamp: ticket, made }]);
        }
        known.push(await rig.known());
      }
      for (const all of left.values()) {
        const [last, ...lower] = all.toSorted((a, b) => b.stamp - a.stamp);
        lower.forEach(({ made }) => {
          expect([...made].filter((startMs) => last?.made.has(startMs) !== true)).toEqual([]);
        });
      }
    }),
  );
});
