import { parseHpa, replay } from '@meterflow/scaling';
import fc from 'fast-check';
import { randomScenario } from '../random-scenario.ts';
import { parseScenario } from '../scenario-schema.ts';

/** Of the random scenarios those in which much happens at once: what is waited for on a clock is to be worth it. */
const changesMin = 8;
const scenariosMax = 2_000;
/** More pods than these of twenty autoscalers would keep the machine from keeping time. */
const spreadMax = 10;

type RandomScenario = typeof randomScenario extends fc.Arbitrary<infer Value> ? Value : never;

export interface LiveSequence {
  readonly name: string;
  readonly spec: Omit<RandomScenario['hpa']['spec'], 'minReplicas'> & { readonly minReplicas: number };
  readonly replicas: number;
  readonly steps: RandomScenario['steps'];
}

/** So many sequences of metrics, each with an autoscaler of its own, that make it decide often in the first `seconds`. */
export function liveSequences(wanted: number, seconds: number, syncSeconds: number): readonly LiveSequence[] {
  const found: LiveSequence[] = [];
  for (const [i, scenario] of fc.sample(randomScenario, { numRuns: scenariosMax, seed: 1 }).entries()) {
    const sequence = { name: `live-${i}`, ...liveForm(scenario) };
    if (found.length < wanted && changesOf(sequence, seconds, syncSeconds) >= changesMin) {
      found.push(sequence);
    }
  }
  return found;
}

/**
 * What an API server takes: no autoscaler may begin at zero there, and the metrics server adds up what selectors match,
 * so that metrics are told apart by their names alone. A target that begins out of bounds is asked for no metric.
 */
function liveForm({ hpa, replicas, steps }: RandomScenario): Pick<LiveSequence, 'spec' | 'replicas' | 'steps'> {
  const { spec } = hpa;
  const minReplicas = Math.max(1, spec.minReplicas ?? 1);
  const maxReplicas = Math.min(spec.maxReplicas, minReplicas + spreadMax);
  const metrics = spec.metrics.map(({ type, external }) => ({
    type,
    external: { metric: { name: external.metric.name }, target: external.target },
  }));
  return {
    spec: { ...spec, minReplicas, maxReplicas, metrics },
    replicas: Math.min(Math.max(replicas, minReplicas), maxReplicas),
    steps,
  };
}

function changesOf({ spec, replicas, steps }: LiveSequence, seconds: number, syncSeconds: number): number {
  const scenario = parseScenario({ hpa: { spec }, replicas, steps, seconds, syncSeconds, podReadySeconds: 1 });
  return replay({ ...scenario, spec: parseHpa({ spec }) }).filter(({ from, to }) => from !== to).length;
}
