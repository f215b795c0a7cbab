import { availableParallelism } from 'node:os';
import { parseOptions, print, refuse, wholeNumber } from '@meterflow/command-line';
import { adapterNames, worldsOf } from './adapters.ts';
import { countOf, differences } from './compare.ts';
import { parseSchedule } from './fault.ts';
import { shownFailure, type ProofResult } from './proof.ts';
import { proveTogether } from './prove-together.ts';
import { provePlanted, shownVerdict } from './prove-planted.ts';
import { runSchedule } from './run-schedule.ts';
import type { CrashWorlds } from './world.ts';

const usage = `npm run crash-points -- [options]

Ends a process of every stage before, within and after every one of its side effects (and drains it, stalls it, fails the
call), runs on to the end, and holds what is left against the run that nobody disturbed. See docs/adr for how.

  --schedules N   how many runs (default 5000; 200 with the others)
  --seed S        the first workload and interleaving (default 1); the others follow
  --adapters A    ${adapterNames.join(', ')} (default memory)
  --workers N     threads that share the work (default: one for each core); the same schedules with any number
  --planted       plants known bugs one by one: each must be caught
  --replay T      one run again, with each of its side effects, such as 7:persistence-raw.12.within`;

const { values } = parseOptions(usage, {
  options: {
    schedules: { type: 'string' },
    seed: { type: 'string', default: '1' },
    adapters: { type: 'string', default: 'memory' },
    workers: { type: 'string', default: String(availableParallelism()) },
    planted: { type: 'boolean', default: false },
    replay: { type: 'string' },
  },
});

const worlds = await worldsOf(values.adapters);
const schedules = wholeNumber('schedules', values.schedules ?? (values.adapters === 'memory' ? '5000' : '200'));
const seed = wholeNumber('seed', values.seed, 0);
const workers = wholeNumber('workers', values.workers);

if (worlds === undefined) {
  refuse(`--adapters is one of ${adapterNames.join(', ')}`);
} else {
  try {
    process.exitCode = (await command(worlds)) ? 0 : 1;
  } finally {
    await worlds.close?.();
  }
}

function command(chosen: CrashWorlds): Promise<boolean> {
  if (values.replay !== undefined) {
    return replay(chosen, values.replay);
  }
  return values.planted ? planted(chosen) : proof(chosen);
}

async function proof(chosen: CrashWorlds): Promise<boolean> {
  let toldAtMs = performance.now();
  const result = await proveTogether({
    adapters: chosen.adapters,
    schedules,
    seed,
    workers: chosen.adapters === 'google' ? 1 : workers,
    onProgress: (sofar) => {
      if (performance.now() - toldAtMs > 5_000) {
        toldAtMs = performance.now();
        print(summary(sofar));
      }
    },
  });
  result.failures.forEach((failure) => {
    print(shownFailure(failure, chosen.adapters));
  });
  print(summary(result));
  return result.lost + result.doubled + result.wrong === 0;
}

function summary({ schedules: run, seeds, faultsLeft, lost, doubled, wrong }: ProofResult): string {
  const left = faultsLeft === 0 ? '' : ` (${faultsLeft} faults found nothing to befall)`;
  return `${run} schedules of ${seeds} seeds${left}: ${lost} lost, ${doubled} doubled, ${wrong} wrong`;
}

async function planted(chosen: CrashWorlds): Promise<boolean> {
  const verdicts = await provePlanted({ worlds: chosen, schedules, seed }, (verdict) => {
    print(shownVerdict(verdict));
  });
  const missed = verdicts.filter(({ verdict }) => verdict === 'missed').length;
  const caught = verdicts.filter(({ verdict }) => verdict === 'caught').length;
  const elsewhere = verdicts.length - missed - caught;
  print(`${caught} planted bugs caught, ${missed} missed, ${elsewhere} that these adapters can not have`);
  return missed === 0;
}

async function replay(chosen: CrashWorlds, text: string): Promise<boolean> {
  const schedule = parseSchedule(text);
  const undisturbed = await runSchedule(chosen, { seed: schedule.seed, faults: [] });
  const run = await runSchedule(chosen, schedule, { traces: true });
  run.trace.forEach(print);
  const found = differences(run, undisturbed.end);
  print(
    countOf(found) === 0 ? 'the same as undisturbed' : shownFailure({ schedule, differences: found }, chosen.adapters),
  );
  return countOf(found) === 0;
}
