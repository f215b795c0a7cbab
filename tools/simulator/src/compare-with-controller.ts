import { replay } from '@meterflow/scaling';
import fc from 'fast-check';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { randomScenario } from './random-scenario.ts';
import { parseScenario } from './scenario-schema.ts';

/** Scenarios given to the controller at once: few enough for its ten minutes on a machine that is busy. */
const scenariosPerCall = 50;
/** How often a scenario is replayed before its decisions count as the controller's. */
const replaysMax = 10;
/** How often a replay that ended in the middle is tried. */
const replayAttemptsMax = 5;
/** Processes that replay at once; each on one core, and with memory for garbage, at two thirds of the CPU time. */
const callsAtOnce = 2;
const goSettings = { GOMAXPROCS: '1', GOGC: '800' };
const outputBytesMax = 256 * 1024 ** 2;

const run = promisify(execFile);

type RandomScenario = typeof randomScenario extends fc.Arbitrary<infer Value> ? Value : never;

interface Decision {
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

export interface Difference {
  /** In hpa-replay's form, to be replayed alone. */
  readonly scenario: RandomScenario;
  readonly controller: readonly Decision[];
  readonly model: readonly Decision[];
}

export interface Comparison {
  readonly scenarios: number;
  /** Scenarios in which the replay itself decides otherwise from run to run, and in one of them as the model. */
  readonly unsteady: number;
  readonly syncs: number;
  readonly changes: number;
  readonly differences: readonly Difference[];
}

interface ComparisonOptions {
  /** The script `hpa-replay.sh`, which runs the controller's own code in fake time. */
  readonly hpaReplay: string;
  readonly scenarios: number;
  readonly seed: number;
}

/** Holds the model against the controller's own code over random scenarios: both must decide the same at every sync. */
export async function compareWithController({ hpaReplay, scenarios, seed }: ComparisonOptions): Promise<Comparison> {
  const sum = { scenarios: 0, unsteady: 0, syncs: 0, changes: 0, differences: [] as Difference[] };
  const waiting = callsOf(fc.sample(randomScenario, { numRuns: scenarios, seed }));
  const work = async (): Promise<void> => {
    for (let call = waiting.pop(); call !== undefined; call = waiting.pop()) {
      const decided = await decisionsOfController(hpaReplay, call);
      for (const [i, scenario] of call.entries()) {
        const syncs = replay(parseScenario(scenario));
        const model = syncs.filter(({ from, to }) => from !== to);
        const controller = decided[i] ?? [];
        sum.scenarios += 1;
        sum.syncs += syncs.length;
        sum.changes += controller.length;
        if (!same(controller, model, scenario.syncSeconds)) {
          if (await someReplayDecides(model, { hpaReplay, scenario })) {
            sum.unsteady += 1;
          } else {
            sum.differences.push({ scenario, controller, model });
          }
        }
      }
    }
  };
  await Promise.all(Array.from({ length: callsAtOnce }, work));
  return sum;
}

interface Again {
  readonly hpaReplay: string;
  readonly scenario: RandomScenario;
}

/**
 * The replay hands pods to the controller through a watch of its own, and where a `Value` counts Ready pods it may be asked
 * before the last of them are known: the same scenario then ends with 16, 14 or 11 pods. Such a one is replayed again.
 */
async function someReplayDecides(model: readonly Decision[], { hpaReplay, scenario }: Again): Promise<boolean> {
  for (let run = 0; run < replaysMax; run += 1) {
    const [controller = []] = await decisionsOfController(hpaReplay, [scenario]);
    if (same(controller, model, scenario.syncSeconds)) {
      return true;
    }
  }
  return false;
}

/**
 * Scenarios that are replayed by one process. Those in which a metric fails are alone: the controller slows down after an
 * error by a clock that the next scenario, whose time begins anew, has not reached yet.
 */
function callsOf(scenarios: readonly RandomScenario[]): RandomScenario[][] {
  const fails = (scenario: RandomScenario): boolean => hasFailingMetric(scenario);
  const calls = scenarios.filter(fails).map((scenario) => [scenario]);
  const clean = scenarios.filter((scenario) => !fails(scenario));
  for (let begin = 0; begin < clean.length; begin += scenariosPerCall) {
    calls.push(clean.slice(begin, begin + scenariosPerCall));
  }
  return calls;
}

/** Whether some metric has no value at some time. */
function hasFailingMetric({ steps }: RandomScenario): boolean {
  return steps[0]?.at !== 0 || steps.some(({ values }) => Object.values(values).includes(null));
}

async function decisionsOfController(hpaReplay: string, scenarios: readonly RandomScenario[]): Promise<Decision[][]> {
  const folder = mkdtempSync(join(tmpdir(), 'meterflow-replay-'));
  try {
    const file = join(folder, 'scenarios.jsonl');
    writeFileSync(file, scenarios.map((scenario) => `${JSON.stringify(scenario)}\n`).join(''));
    const stdout = await replayed(hpaReplay, file);
    const lines = stdout.trimEnd().split('\n');
    if (lines.length !== scenarios.length) {
      throw new Error(`${hpaReplay} answered ${lines.length} of ${scenarios.length} scenarios.`);
    }
    return lines.map((line) => JSON.parse(line) as Decision[]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** On a busy machine the replay may end in the middle, when its watch is full of pods that nobody took yet: then anew. */
async function replayed(hpaReplay: string, file: string): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return (await run(hpaReplay, [file], { maxBuffer: outputBytesMax, env: { ...process.env, ...goSettings } }))
        .stdout;
    } catch (error) {
      if (attempt === replayAttemptsMax) {
        throw error;
      }
    }
  }
}

/** By the number of the sync: after an error the controller waits for a millisecond, and is so much late from then on. */
function same(a: readonly Decision[], b: readonly Decision[], syncSeconds: number): boolean {
  const written = (decisions: readonly Decision[]): string =>
    decisions.map(({ at, from, to }) => `${Math.round(at / syncSeconds)}:${from}-${to}`).join();
  return written(a) === written(b);
}
