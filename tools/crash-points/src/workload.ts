import { topicName } from '@meterflow/contracts';
import type { GroupRequest } from '@meterflow/registry';
import type { Flow } from '@meterflow/rules';
import type { OutgoingMessage } from '@meterflow/stage';
import type { CustomerOrder } from './customers.ts';
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

/** The zone of whatever a story does not move elsewhere. */
export const timeZone = 'Europe/Zurich';

/** A series that a story says something of. */
export interface PlannedSeries {
  readonly tenant: string;
  readonly meter: string;
  readonly channel: string;
  /** Where it is registered with an interval: whole days of it are looked at. */
  readonly intervalMs?: number;
}

/** What happens before the next phase may begin. */
export interface Phase {
  /** It begins when all that was before is at rest. */
  readonly waits: boolean;
  /** Local days that end here or before are over from now on. */
  readonly daysOverMs?: number;
  /** What customers do with their rules, one after the other, while the senders work. */
  readonly orders: readonly CustomerOrder[];
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
  readonly series: readonly PlannedSeries[];
  /** How often a fact is delivered anew on purpose, by stage. */
  readonly replays: number;
  /** Whether closed days are compacted all the while, on stores that can. */
  readonly compacts: boolean;
  /** Whether rules are activated and days closed in it: what is stored is then computed anew. */
  readonly controls: boolean;
}

/** What a phase is made of; the others say when it begins. */
const partNames = ['activations', 'orders', 'zoneChanges', 'groupings', 'senders', 'strays', 'replays'] as const;
type PartName = (typeof partNames)[number];
type PlannedPhase = { readonly [Part in PartName]: Phase[Part][number][] } & {
  waits: boolean;
  daysOverMs?: number;
};

/** A workload in the making. Phases are numbered from 0. */
export class WorkloadPlan {
  readonly random: Random;
  readonly #phases: PlannedPhase[] = [];
  readonly #series = new Map<string, PlannedSeries>();

  #compacts = false;
  #controls = false;

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

  /** What a customer does with rules, after what was ordered before it. */
  order(phase: number, ...orders: readonly CustomerOrder[]): void {
    this.#phase(phase).orders.push(...orders);
    this.#controls = true;
  }

  /** All that is stored is computed anew for each activation. */
  control(): void {
    this.#controls = true;
  }

  /** The phase begins when all before it is at rest. */
  wait(phase: number): void {
    this.#phase(phase).waits = true;
  }

  closeDays(phase: number, throughMs: number): void {
    this.#phase(phase).daysOverMs = throughMs;
    this.#controls = true;
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

  series(...series: readonly PlannedSeries[]): void {
    series.forEach((each) => {
      const path = `${each.tenant} ${each.meter} ${each.channel}`;
      this.#series.set(path, { ...this.#series.get(path), ...each });
    });
  }

  finish(): Workload {
    return {
      phases: this.#phases.filter(
        (phase) => phase.daysOverMs !== undefined || partNames.some((name) => phase[name].length > 0),
      ),
      series: [...this.#series.values()],
      replays: this.#phases.flatMap(({ replays }) => replays).length,
      compacts: this.#compacts,
      controls: this.#controls,
    };
  }

  #phase(number: number): PlannedPhase {
    const phase = this.#phases[number] ?? {
      ...{ waits: false, activations: [], orders: [], senders: [] },
      ...{ zoneChanges: [], groupings: [], strays: [], replays: [] },
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
