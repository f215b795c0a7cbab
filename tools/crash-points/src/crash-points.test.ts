import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { differences } from './compare.ts';
import { embeddedWorlds } from './embedded-world.ts';
import { formatSchedule, parseSchedule } from './fault.ts';
import { memoryWorlds } from './memory/memory-world.ts';
import { plantedBugs } from './planted/bugs.ts';
import { prove, shownFailure, unsoundness } from './proof.ts';
import { proveTogether } from './prove-together.ts';
import { runSchedule } from './run-schedule.ts';
import { storyNames } from './workload.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));

async function runCommand(command: string, parameters: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(command, parameters);
  return stdout;
}

test(
  'whatever befalls a process at whichever side effect, the end state is the undisturbed one',
  { timeout: 120_000 },
  async () => {
    const { schedules, failures } = await prove({ worlds: memoryWorlds, schedules: 140, seed: 1 });
    expect(failures.map((failure) => shownFailure(failure, 'memory'))).toEqual([]);
    expect(schedules).toBeGreaterThanOrEqual(140);
  },
);

test('a change of zone leaves nothing of the former one, whatever befalls whom', { timeout: 120_000 }, async () => {
  const told = { seed: storyNames.indexOf('zoneChange'), seedStep: storyNames.length, perSeed: 12 };
  const { failures } = await prove({ worlds: memoryWorlds, schedules: 60, ...told });
  expect(failures.map((failure) => shownFailure(failure, 'memory'))).toEqual([]);
  const drained = await runSchedule(memoryWorlds, parseSchedule('22:ingest.13.drain'));
  const undisturbed = await runSchedule(memoryWorlds, { seed: 22, faults: [] });
  expect(differences(drained, undisturbed.end)).toEqual({ lost: [], doubled: [], wrong: [] });
});

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

/** A workload, and mostly a stage, where each shows soon; the command finds them without being told. */
const shows: Readonly<Record<string, readonly [seed: number, stage?: string]>> = {
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
  'series output that is not withdrawn': [15],
  'series flow: ticket taken after the inputs': [15],
  'series flow: newest activation from a cache': [15],
  'days told before they are published': [15],
  'told since, before it is told': [15],
  'made, and not written down': [15, 'persistence-validated'],
};

test.each(plantedBugs)('catches a planted bug: $name', { timeout: 120_000 }, async (bug) => {
  const [seed = 0, stage] = shows[bug.name] ?? [];
  const where = stage === undefined ? { seedStep: storyNames.length, perSeed: 60 } : { stages: [stage] };
  const { failures, schedules } = await prove({
    ...{ worlds: memoryWorlds, schedules: 4_000, seed, bug, failFast: true },
    ...where,
  });
  expect(failures.length, `in ${schedules} schedules`).toBeGreaterThan(0);
});

test('the same holds over the real embedded adapters', { timeout: 240_000 }, async () => {
  const { schedules, failures } = await prove({ worlds: embeddedWorlds, schedules: 14, seed: 1 });
  expect(failures.map((failure) => shownFailure(failure, 'embedded'))).toEqual([]);
  expect(schedules).toBeGreaterThanOrEqual(14);
});

test('an undisturbed run that comes to nothing is no measure of others', async () => {
  const run = await runSchedule(memoryWorlds, { seed: 1, faults: [] });
  expect(unsoundness(run)).toEqual([]);
  const nothing = { ...run.end, lines: new Map(), sources: new Map() };
  expect(unsoundness({ ...run, end: nothing, effects: new Map() }).length).toBeGreaterThan(1);
});

test('a schedule whose faults found nothing to befall is told of, and not counted', async () => {
  const nothing = await runSchedule(memoryWorlds, parseSchedule('1:persistence-raw.9999.within'));
  expect(nothing.faultsLeft).toBe(1);
  const something = await runSchedule(memoryWorlds, parseSchedule('1:persistence-raw.2.within'));
  expect(something.faultsLeft).toBe(0);
});

test('the threads of a proof together run the schedules that one would', { timeout: 120_000 }, async () => {
  const options = { adapters: 'memory', schedules: 6, seed: 1 };
  const [one, two] = [await proveTogether({ ...options, workers: 1 }), await proveTogether({ ...options, workers: 2 })];
  expect(two).toEqual(one);
  expect(one).toMatchObject({ schedules: 6, seeds: 6, lost: 0, doubled: 0, wrong: 0 });
});

test(
  'the command runs a schedule, prints how it came out last, and shows one again',
  { timeout: 120_000 },
  async () => {
    const command = (...parameters: string[]): Promise<string> => runCommand(process.execPath, [main, ...parameters]);
    const proof = await command('--schedules', '3', '--seed', '5', '--workers', '1');
    expect(proof.trimEnd().split('\n').at(-1)).toMatch(/^3 schedules of \d seeds.*: 0 lost, 0 doubled, 0 wrong$/);
    const again = await command('--replay', '5:persistence-raw.4.within');
    expect(again).toContain('<- within');
    expect(again.trimEnd().split('\n').at(-1)).toBe('the same as undisturbed');
  },
);
