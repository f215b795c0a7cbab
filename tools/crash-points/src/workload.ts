import { topicName } from '@meterflow/contracts';
import type { GroupRequest } from '@meterflow/registry';
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
  /** Meters that lie in another time zone from now on; what is aggregated of them by then is computed anew. */
  readonly zoneChanges: readonly ZoneChange[];
  /** Groups made, and who belongs to them from now on; what is stored of those is told of once more. */
  readonly groupings: readonly Grouping[];
  /** Each sends its sources one after the other; the senders work at the same time. */
  readonly senders: readonly (readonly PlannedSource[])[];
  /** Published as they are, by nobody's stage. */
  readonly strays: readonly OutgoingMessage[];
  /** Delivered all over again, once all is at rest. */
  readonly replays: readonly string[];
}

export interface ZoneChange {
  readonly tenant: string;
  readonly meter: string;
  readonly timeZone: string;
  /** Tells aggregation of what is stored of it. */
  readonly recompute: OutgoingMessage;
}

export interface Grouping {
  readonly tenant: string;
  readonly groups: readonly GroupRequest[];
  readonly members: readonly { readonly meter: string; readonly group: string; readonly isMember: boolean }[];
  readonly recompute: readonly OutgoingMessage[];
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

type PlannedPhase = { readonly [Part in keyof Phase]: Phase[Part][number][] };

/** A workload in the making. Phases are numbered from 0. */
export class WorkloadPlan {
  readonly random: Random;
  readonly #phases: PlannedPhase[] = [];
  readonly #meters = new Map<string, { readonly tenant: string; readonly meter: string }>();

  #compacts = false;

  constructor(random: Random) {
    this.random = random;
  }

  /** Sources of one more sender, in their order; before each it waits for one of the gaps. */
  send(phase: number, sources: readonly Omit<PlannedSource, 'afterMs'>[], gapsMs = [2, 2, 5, 60, 400]): void {
    this.#phase(phase).senders.push(sources.map((source) => ({ ...source, afterMs: pick(this.random, gapsMs) })));
  }

  activate(phase: number, tenant: string, flow: Flow): void {
    this.#phase(phase).activations.push({ tenant, flow });
  }

  changeZone(phase: number, change: ZoneChange): void {
    this.#phase(phase).zoneChanges.push(change);
  }

  group(phase: number, grouping: Grouping): void {
    this.#phase(phase).groupings.push(grouping);
  }

  stray(phase: number, topic: 'readings.accepted' | 'readings.transformed' | 'aggregates', payload: Uint8Array): void {
    this.#phase(phase).strays.push({ topic: topicName(topic, lane), payload, attributes: { tenant: 'acme' } });
  }

  replay(phase: number, subscription: string): void {
    this.#phase(phase).replays.push(`${subscription}.${lane}`);
  }

  compact(): void {
    this.#compacts = true;
  }

  meter(tenant: string, meter: string): void {
    this.#meters.set(`${tenant} ${meter}`, { tenant, meter });
  }

  finish(): Workload {
    return {
      phases: this.#phases.filter((phase) => Object.values(phase).some((part: readonly unknown[]) => part.length > 0)),
      series: [...this.#meters.values()],
      replays: this.#phases.flatMap(({ replays }) => replays).length,
      compacts: this.#compacts,
    };
  }

  #phase(number: number): PlannedPhase {
    const phase = this.#phases[number] ?? {
      ...{ senders: [], activations: [], zoneChanges: [], groupings: [], strays: [], replays: [] },
    };
    this.#phases[number] = phase;
    return phase;
  }
}

export type StoryName = keyof typeof stories;
export const storyNames = Object.keys(stories) as readonly StoryName[];

/** Few sources, so that a run is short: the story that the seed's turn it is, and every other time one more beside it. */
export function workloadOf(seed: number): Workload {
  const random = seededRandom('workload', seed);
  const turn = storyNames[seed % storyNames.length] as StoryName;
  const beside = pick(random, storyNames);
  return telling(random() < 0.5 ? [turn] : [turn, beside], random);
}

/** The stories' workload, told at once; each once. */
export function telling(names: readonly StoryName[], random: Random): Workload {
  const plan = new WorkloadPlan(random);
  new Set(names).forEach((name) => {
    stories[name](plan);
  });
  return plan.finish();
}
