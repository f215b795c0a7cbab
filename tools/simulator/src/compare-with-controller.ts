import { replay } from '@meterflow/scaling';
import fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomScenario } from './random-scenario.ts';
import { parseScenario } from './scenario-schema.ts';

/** Scenarios given to the controller at once. */
const scenariosPerCall = 500;
const outputBytesMax = 256 * 1024 ** 2;

interface Decision {
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

export interface Difference {
  /** In hpa-replay's form, to be replayed alone. */
  readonly scenario: unknown;
  readonly controller: readonly Decision[];
  readonly model: readonly Decision[];
}

export interface Comparison {
  readonly scenarios: number;
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
export function compareWithController({ hpaReplay, scenarios, seed }: ComparisonOptions): Comparison {
  const sum = { scenarios: 0, syncs: 0, changes: 0, differences: [] as Difference[] };
  const all = fc.sample(randomScenario, { numRuns: scenarios, seed });
  for (let begin = 0; begin < all.length; begin += scenariosPerCall) {
    const some = all.slice(begin, begin + scenariosPerCall);
    const decided = decisionsOfController(hpaReplay, some);
    some.forEach((scenario, i) => {
      const syncs = replay(parseScenario(scenario));
      const model = syncs.filter(({ from, to }) => from !== to);
      const controller = decided[i] ?? [];
      sum.syncs += syncs.length;
      sum.changes += controller.length;
      if (!same(controller, model)) {
        sum.differences.push({ scenario, controller, model });
      }
    });
    sum.scenarios += some.length;
  }
  return sum;
}

function decisionsOfController(hpaReplay: string, scenarios: readonly unknown[]): Decision[][] {
  const folder = mkdtempSync(join(tmpdir(), 'meterflow-replay-'));
  try {
    const file = join(folder, 'scenarios.jsonl');
    writeFileSync(file, scenarios.map((scenario) => `${JSON.stringify(scenario)}\n`).join(''));
    const lines = execFileSync(hpaReplay, [file], { encoding: 'utf8', maxBuffer: outputBytesMax })
      .trimEnd()
      .split('\n');
    if (lines.length !== scenarios.length) {
      throw new Error(`${hpaReplay} answered ${lines.length} of ${scenarios.length} scenarios.`);
    }
    return lines.map((line) => JSON.parse(line) as Decision[]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function same(a: readonly Decision[], b: readonly Decision[]): boolean {
  return (
    a.length === b.length && a.every(({ at, from, to }, i) => at === b[i]?.at && from === b[i].from && to === b[i].to)
  );
}
