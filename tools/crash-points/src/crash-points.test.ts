import { expect, test } from 'vitest';
import { differences } from './compare.ts';
import { embeddedWorlds } from './embedded-world.ts';
import { formatSchedule, parseSchedule } from './fault.ts';
import { memoryWorlds } from './memory/memory-world.ts';
import { plantedBugs } from './planted/bugs.ts';
import { prove, shownFailure, unsoundness } from './proof.ts';
import { runSchedule } from './run-schedule.ts';

test(
  'whatever befalls a process at whichever side effect, the end state is the undisturbed one',
  { timeout: 120_000 },
  async () => {
    const { schedules, failures } = await prove({ worlds: memoryWorlds, schedules: 110, seed: 1 });
    expect(failures.map((failure) => shownFailure(failure, 'memory'))).toEqual([]);
    expect(schedules).toBeGreaterThanOrEqual(110);
  },
);

test('a run is the same each time', async () => {
  const schedule = { seed: 7, faults: [{ stage: 'persistence-raw', effect: 4, kind: 'within' }] } as const;
  const [once, again] = [
    await runSchedule(memoryWorlds, schedule, { traces: true }),
    await runSchedule(memoryWorlds, schedule, { traces: true }),
  ];
  expect(once.trace.length).toBeGreaterThan(50);
  expect(again.trace).toEqual(once.trace);
  expect(again.end).toEqual(once.end);
});

test('an ended process runs no line more: its later effects never come', async () => {
  const [undisturbed, ended] = [
    await runSchedule(memoryWorlds, { seed: 3, faults: [] }, { traces: true }),
    await runSchedule(memoryWorlds, parseSchedule('3:persistence-raw.4.before'), { traces: true }),
  ];
  expect(differences(ended, undisturbed.end)).toEqual({ lost: [], doubled: [], wrong: [] });
  const [of = ''] = ended.trace.flatMap((line) => (line.includes('<- before') ? [line.split(' ')[1] ?? ''] : []));
  expect(of).toMatch(/^persistence-raw-/);
  expect(ended.trace.findLast((line) => line.split(' ')[1] === of)).toContain('<- before');
});

test('a schedule is written and read as the same', () => {
  const text = '12:persistence-raw.3.within+rule-execution.40.stall';
  expect(formatSchedule(parseSchedule(text))).toBe(text);
  expect(formatSchedule(parseSchedule('12'))).toBe('12');
  expect(() => parseSchedule('12:persistence-raw.3.sideways')).toThrow(RangeError);
});

/** A workload and a stage where each shows soon; the command finds them without being told. */
const shows: Readonly<Record<string, readonly [seed: number, stage: string]>> = {
  'ack before publish': [0, 'persistence-raw'],
  'done before write': [0, 'persistence-raw'],
  'publish before write': [0, 'persistence-validated'],
  'merge by acceptedAt': [2, 'ingest'],
  'counter aggregation': [1, 'ingest'],
  'ticket taken after the read': [10, 'aggregation-parents'],
  'notify only on change': [0, 'persistence-validated'],
  'skip an aggregate that looks equal': [1, 'persistence-aggregates'],
  'compaction that sets before it deletes': [11, 'persistence-raw'],
  'nack of finished work on drain': [0, 'rule-execution'],
};

test.each(plantedBugs)(
  'catches a planted bug: $name',
  { timeout: 120_000 },
  async (bug) => {
    const [seed = 0, stage = ''] = shows[bug.name] ?? [];
    const options = { worlds: memoryWorlds, schedules: 4_000, seed, stages: [stage], bug, failFast: true };
    const { failures, schedules } = await prove(options);
    expect(failures.length, `in ${schedules} schedules`).toBeGreaterThan(0);
  },
);

test('the same holds over the real embedded adapters', { timeout: 240_000 }, async () => {
  const { schedules, failures } = await prove({ worlds: embeddedWorlds, schedules: 11, seed: 1 });
  expect(failures.map((failure) => shownFailure(failure, 'embedded'))).toEqual([]);
  expect(schedules).toBeGreaterThanOrEqual(11);
});

test('an undisturbed run that comes to nothing is no measure of others', async () => {
  const run = await runSchedule(memoryWorlds, { seed: 1, faults: [] });
  expect(unsoundness(run)).toEqual([]);
  const nothing = { ...run.end, lines: new Map(), sources: new Map() };
  expect(unsoundness({ ...run, end: nothing, effects: new Map() }).length).toBeGreaterThan(1);
});
