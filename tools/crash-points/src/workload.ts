import { topicName } from '@meterflow/contracts';
import type { Flow } from '@meterflow/rules';
import type { OutgoingMessage } from '@meterflow/stage';
import { lane } from './lane.ts';
import { pick, seededRandom, type Random } from './random.ts';
import { stories } from './stories.ts';

/** One source as its sender hands it in, again and again under the same delivery name until it is told that it is in. */
export interface PlannedSource {
  readonly tenant: string;
  readonly label: string;
  readonly delivery: string;
  readonly csv: string;
  /** How long its sender waits before it. */
  readonly afterMs: number;
}

/** What happens before the next phase may begin. */
export interface Phase {
  /** Flows made active before anything of the phase is sent. */
  readonly activations: readonly { readonly tenant: string; readonly flow: Flow }[];
  /** Each sends its sources one after the other; the senders work at the same time. */
  readonly senders: readonly (readonly PlannedSource[])[];
  /** Published as they are, by nobody's stage. */
  readonly strays: readonly OutgoingMessage[];
  /** Delivered all over again, once all is at rest. */
  readonly replays: readonly string[];
}

export interface Workload {
  readonly phases: readonly Phase[];
  /** Every series that it says anything of. */
  readonly series: readonly { readonly tenant: string; readonly meter: string }[];
  /** How often a fact is delivered anew on purpose, by stage. */
  readonly replays: number;
  /** Whether closed days are compacted all the while, on stores that can. */
  readonly compacts: boolean;
}

/** A workload in the making. Phases are numbered from 0. */
export class WorkloadPlan {
  readonly random: Random;
  readonly #senders: PlannedSource[][][] = [[], []];
  readonly #activations: Phase['activations'][number][][] = [[], []];
  readonly #strays: OutgoingMessage[][] = [[], []];
  readonly #replays: string[][] = [[], []];
  readonly #meters = new Map<string, { readonly tenant: string; readonly meter: string }>();

  #compacts = false;

  constructor(random: Random) {
    this.random = random;
  }

  /** Sources of one more sender, in their order; before each it waits for one of the gaps. */
  send(phase: number, sources: readonly Omit<PlannedSource, 'afterMs'>[], gapsMs = [2, 2, 5, 60, 400]): void {
    this.#senders[phase]?.push(sources.map((source) => ({ ...source, afterMs: pick(this.random, gapsMs) })));
  }

  activate(phase: number, tenant: string, flow: Flow): void {
    this.#activations[phase]?.push({ tenant, flow });
  }

  stray(phase: number, topic: 'readings.accepted' | 'readings.transformed' | 'aggregates', payload: Uint8Array): void {
    this.#strays[phase]?.push({ topic: topicName(topic, lane), payload, attributes: { tenant: 'acme' } });
  }

  replay(phase: number, subscription: string): void {
    this.#replays[phase]?.push(`${subscription}.${lane}`);
  }

  compact(): void {
    this.#compacts = true;
  }

  meter(tenant: string, meter: string): void {
    this.#meters.set(`${tenant} ${meter}`, { tenant, meter });
  }

  finish(): Workload {
    const phases = this.#senders.map((senders, phase) => ({
      senders,
      activations: this.#activations[phase] ?? [],
      strays: this.#strays[phase] ?? [],
      replays: this.#replays[phase] ?? [],
    }));
    return {
      phases: phases.filter((phase) => Object.values(phase).some((part: readonly unknown[]) => part.length > 0)),
      series: [...this.#meters.values()],
      replays: this.#replays.flat().length,
      compacts: this.#compacts,
    };
  }
}

/** Few sources, so that a run is short: the story that the seed's turn it is, and one or two others. */
export function workloadOf(seed: number): Workload {
  const random = seededRandom('workload', seed);
  const plan = new WorkloadPlan(random);
  const names = Object.keys(stories) as (keyof typeof stories)[];
  const told = new Set([names[seed % names.length] as keyof typeof stories, pick(random, names)]);
  told.forEach((name) => {
    stories[name](plan);
  });
  return plan.finish();
}
