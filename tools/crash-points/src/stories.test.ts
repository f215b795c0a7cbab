import { expect, test } from 'vitest';
import { memoryWorlds } from './memory/memory-world.ts';
import { seededRandom } from './random.ts';
import { runSchedule, type RunResult } from './run-schedule.ts';
import { telling, workloadOf, type StoryName } from './workload.ts';

// What the issue of the proof lists must be in its workloads, and do something there: a story that leaves no mark proves
// nothing. Each is told by itself and undisturbed.

function told(name: StoryName, seed = 1): Promise<RunResult> {
  const workload = telling([name], seededRandom('story', seed));
  return runSchedule(memoryWorlds, { seed, faults: [] }, { workload, traces: true });
}

interface Line {
  readonly layer?: string;
  readonly resolution?: string;
  readonly start: string;
  readonly value?: string;
  readonly sum?: string;
  readonly quality: string;
}

function linesOf({ end }: RunResult, meter: string): readonly Line[] {
  return [...end.lines]
    .filter(([of]) => of.split(' ')[1] === meter)
    .map(([, line]) => JSON.parse(line) as Line)
    .sort((a, b) => (a.start < b.start ? -1 : 1));
}

function valuesOf(run: RunResult, meter: string, layer: 'raw' | 'validated'): readonly (string | undefined)[] {
  return linesOf(run, meter).flatMap((line) => (line.layer === layer ? [line.value ?? undefined] : []));
}

test('every story is told by some seed, and mostly beside another', () => {
  const seeds = Array.from({ length: 40 }, (_, seed) => workloadOf(seed));
  expect(seeds.some(({ compacts }) => compacts)).toBe(true);
  expect(seeds.some(({ replays }) => replays > 0)).toBe(true);
  const phases = seeds.flatMap((workload) => workload.phases);
  for (const part of ['activations', 'orders', 'zoneChanges', 'groupings', 'strays', 'replays', 'senders'] as const) {
    expect(
      phases.some((phase) => phase[part].length > 0),
      part,
    ).toBe(true);
  }
});

test('corrections: the later delivery of a reading counts', async () => {
  expect(valuesOf(await told('corrections'), 'corrected', 'validated')).toEqual(['1.5', '2.25', '2.25']);
});

test('values that come back: what was there before is right again, and was another one meanwhile', async () => {
  const run = await told('backAgain');
  expect(valuesOf(run, 'again', 'validated')).toEqual(['5']);
  expect(run.end.sources.size).toBe(3);
});

test('reordering and withdrawals: the higher version counts in each order of arrival, also one without a value', async () => {
  const orders = new Set<string>();
  for (let seed = 1; seed <= 6; seed++) {
    const run = await told('versions', seed);
    expect(valuesOf(run, 'versioned', 'raw')).toEqual(['30', undefined, '8']);
    orders.add([...run.end.sources.keys()].join(' '));
  }
  expect(orders.size, 'both orders of acceptance').toBe(2);
});

test('duplicates: the second delivery is one of its own, and adds nothing', async () => {
  const run = await told('duplicates');
  expect(valuesOf(run, 'repeated', 'raw')).toEqual(['1', '2.5']);
  expect([...run.end.sources.values()].map(({ outcomes }) => outcomes)).toEqual([2, 2]);
});

test('late and bad lines: last month is computed anew, twenty years ago and what is no number are rejected', async () => {
  const run = await told('lateAndBad');
  expect([...run.end.sources.values()].map(({ rejected }) => rejected).sort()).toEqual([1, 2]);
  const months = linesOf(run, 'late').filter(({ resolution }) => resolution === 'month');
  expect(months.map(({ sum }) => sum)).toEqual(['2', '1']);
});

test('activations: what is stored is computed anew under the newest, and what that rejects is a dead letter', async () => {
  for (let seed = 1; seed <= 3; seed++) {
    const run = await told('activations', seed);
    expect(valuesOf(run, 'ruled', 'validated')).toEqual([undefined, '88', '90']);
    expect(run.end.deadLetters.map((letter) => letter.split(' ')[0])).toEqual(['rule-execution', 'series-flows']);
  }
});

test('a rule activated and taken back in the middle: nothing is left of it', async () => {
  for (let seed = 1; seed <= 4; seed++) {
    const under = valuesOf(await told('rolledBack', seed), 'rolled', 'validated');
    expect(under).toEqual(['10', '11', undefined, '10', '11', undefined, '10', '11', undefined]);
  }
});

test('the life of a rule: closed days are filled by what counts in the end, and nothing else is left', async () => {
  for (let seed = 1; seed <= 6; seed++) {
    const run = await told('ruleLife', seed);
    expect(valuesOf(run, 'home', 'validated')).toEqual([
      ...['2', '4', '6', '8', '2', '4', '6', '8', '7', '7', '7', '7'],
      ...['1', '2', '3', '5', '1', '2', '3', '5', '7', '7', '7', '7'],
      ...['11', '7', '30', '7', '11', '7', '30', '7'],
    ]);
    expect(valuesOf(run, 'home/total', 'validated')).toEqual(['20', '20', '28', '11', '11', '28', '55', '55']);
    expect(linesOf(run, 'home/extra')).toEqual([]);
    const tickets = run.trace.filter((line) => / (series-flows|days-due)-.* tickets\.take/.test(line));
    expect(new Set(tickets.map((line) => line.split(' ')[1]?.split('-', 1)[0]))).toEqual(new Set(['series', 'days']));
  }
});

test('a rule that halts parks its batch, and others go on', async () => {
  const run = await told('halts');
  expect([...run.end.sources.values()].map(({ batchesParked }) => batchesParked).sort()).toEqual([0, 1]);
  expect(valuesOf(run, 'strict', 'validated')).toEqual(['12']);
});

test('poison: the batch kills its process until it is a dead letter, and the one beside it comes through', async () => {
  const run = await told('poison');
  expect(run.end.deadLetters.join()).toContain('poison');
  expect(run.trace.filter((line) => line.endsWith(' poison')).length).toBeGreaterThan(1);
  expect(valuesOf(run, 'bystander', 'validated')).toEqual(['2']);
});

test('bad messages: bytes that are none and a message at the wrong stage are dead letters', async () => {
  const run = await told('strays');
  expect(run.end.deadLetters).toHaveLength(2);
  expect(valuesOf(run, 'beside', 'validated')).toEqual(['3']);
});

test('replays: a stage handles all it ever had once more', async () => {
  const workload = telling(['replays'], seededRandom('story', 2));
  const [stage = ''] = workload.phases.flatMap(({ replays }) => replays.map((name) => name.split('.')[0]));
  const without = { ...workload, phases: workload.phases.map((phase) => ({ ...phase, replays: [] })) };
  const [once, again] = [
    await runSchedule(memoryWorlds, { seed: 2, faults: [] }, { workload: without }),
    await runSchedule(memoryWorlds, { seed: 2, faults: [] }, { workload }),
  ];
  expect(again.effects.get(stage)).toBeGreaterThan((once.effects.get(stage) as number) + 3);
  expect(again.end.lines).toEqual(once.end.lines);
});

test('a change of zone: days are those of the new one, and those of the old one are taken back', async () => {
  const run = await told('zoneChange');
  const days = linesOf(run, 'moved').filter(({ resolution }) => resolution === 'day');
  expect(days.map(({ start, sum }) => [start, sum])).toEqual([['2023-10-30T15:00:00Z', '7']]);
});

test('groups: a street and the area that it counts in, without the house that was never there', async () => {
  const run = await told('groups');
  for (const group of ['group:street', 'group:area']) {
    const days = linesOf(run, group).filter(({ resolution }) => resolution === 'day');
    expect(days.map(({ start, sum }) => [start, sum])).toEqual([
      ['2023-10-29T23:00:00Z', '301'],
      ['2023-10-30T23:00:00Z', '4000.5'],
    ]);
  }
});

test('several at one day: its aggregate is of all of them', async () => {
  const days = linesOf(await told('sharedDay'), 'shared').filter(({ resolution }) => resolution === 'day');
  expect(days.map(({ sum }) => sum)).toContain('0.5');
});

test('compaction: days are compacted more than once, and say the same', async () => {
  const run = await told('compaction');
  expect(run.trace.filter((line) => line.endsWith(' rows.mutate')).length).toBeGreaterThan(1);
  expect(valuesOf(run, 'compacted', 'raw')).toEqual(['1', '2.5', '3']);
});
