import { compactReadings } from '@meterflow/bigtable/memory';
import {
  aggregationStage,
  daysClosedStage,
  groupZones,
  memberStage,
  monthStage,
  nodeStage,
  type SeriesZones,
} from '@meterflow/aggregation/stage';
import { subscriptionName, type Subscription } from '@meterflow/contracts';
import { takeIn, type SourceRequest, type TakeInPorts, type TakenIn } from '@meterflow/ingest/stage';
import { aggregatePersistence, readingPersistence } from '@meterflow/persistence/stage';
import {
  Activations,
  ClosedDaysRegistry,
  DaysMade,
  OvertakenError,
  type SeriesMade,
  Groups,
  KeptLengths,
  SeriesEnds,
  SeriesRegistry,
  ToldSince,
  UnknownSeries,
} from '@meterflow/registry';
import { ruleExecutionStage, seriesFlowSink, seriesFlowStage } from '@meterflow/rule-execution/stage';
import {
  runStage,
  silentTelemetry,
  TransientError,
  type LeasedMessage,
  type Sink,
  type Source,
  type Stage,
  type StageLimits,
} from '@meterflow/stage';
import { runControl, type Desk, type Surroundings } from './control-process.ts';
import type { CrashingProcess } from './crashing-process.ts';
import { flowSandbox } from './flow-sandbox.ts';
import { lane } from './lane.ts';
import type { Watch } from './handlings.ts';
import type { PlantedBug } from './planted-bug.ts';
import type { CrashPorts } from './world.ts';

/** What a process of a stage is given: its ports are guarded already. */
export interface StageContext {
  readonly process: CrashingProcess;
  readonly ports: CrashPorts;
  readonly owner: string;
  readonly limits: StageLimits;
  readonly bug: PlantedBug | undefined;
  readonly watch: Watch;
  readonly surroundings: Surroundings;
  /** Told by a control process how rules are handed to it. */
  readonly onDesk: (desk: Desk) => void;
  /** Told by an ingest process how sources are handed to it. */
  readonly onOpen: (door: Door) => void;
}

/** One ingest process, as a sender sees it. */
export interface Door {
  readonly process: CrashingProcess;
  takeIn(request: SourceRequest): Promise<TakenIn>;
}

/** The stages by name, and how a process of each runs until it is told to stop: the code of the apps. */
export const stages: Readonly<Record<string, (context: StageContext) => Promise<void>>> = {
  ingest: runIngest,
  'rule-execution': (context) => {
    const ports = { sandbox: sandboxOf(context), activations: activationsOf(context) };
    return run(ruleExecutionStage(ports, { lane }), context, { subscription: 'rule-execution', sink: nowhere });
  },
  'series-flows': (context) => runSeriesFlows('raw', context),
  'days-due': (context) => runSeriesFlows('days', context),
  'persistence-raw': (context) => runPersistence('raw', context),
  'persistence-validated': (context) => runPersistence('validated', context),
  'persistence-aggregates': (context) =>
    run(aggregatePersistence({ lane }), context, {
      subscription: 'persistence-aggregates',
      sink: sinkOf(context.ports.aggregates),
    }),
  aggregation: (context) => {
    const { tickets, contributions } = context.ports;
    const readings = context.ports.readings('validated');
    const { groups, zones } = groupsOf(context);
    const stage = memberStage(aggregationStage({ tickets, readings, zones }, { lane }), { readings, groups }, { lane });
    return run(stage, context, { subscription: 'aggregation', sink: contributions });
  },
  'aggregation-parents': (context) => {
    const { tickets, aggregates, registry } = context.ports;
    const closedDays = new ClosedDaysRegistry(registry);
    const stage = monthStage({ tickets, aggregates, zones: groupsOf(context).zones, closedDays }, { lane });
    return run(stage, context, { subscription: 'aggregation-parents', sink: nowhere });
  },
  'aggregation-nodes': (context) => {
    const { tickets, contributions } = context.ports;
    const stage = nodeStage({ tickets, contributions, groups: groupsOf(context).groups }, { lane });
    return run(stage, context, { subscription: 'aggregation-nodes', sink: contributions });
  },
  'days-closed': (context) => {
    const { aggregates, registry } = context.ports;
    const closedDays = new ClosedDaysRegistry(registry);
    const stage = daysClosedStage({ aggregates, zones: groupsOf(context).zones, closedDays }, { lane });
    return run(stage, context, { subscription: 'days-closed', sink: nowhere });
  },
  compaction: runCompaction,
  control: (context) => runControl({ ...context, leaseMs: cacheMs }),
};

/** What runs only where the workload compacts, on stores that can. */
export const compaction = 'compaction';

/** What runs only where rules are activated and days closed. */
export const control = 'control';

/** What has work in some workloads alone. */
export const restingStages: readonly string[] = [compaction, control, 'aggregation-nodes', 'days-due', 'days-closed'];

/** How old activations and settings may be that a process remembers. */
export const cacheMs = 200;
/** Readings before 2024 are refused in 2024. */
const keptMs = 400 * 24 * 60 * 60 * 1000;

function runPersistence(layer: 'raw' | 'validated', context: StageContext): Promise<void> {
  const sink = sinkOf(context.ports.readings(layer));
  return run(readingPersistence({ layer, lane }), context, { subscription: `persistence-${layer}`, sink });
}

function runSeriesFlows(listensTo: 'raw' | 'days', context: StageContext): Promise<void> {
  const { tickets, registry } = context.ports;
  const ports = {
    sandbox: sandboxOf(context),
    activations: activationsOf(context),
    readings: (layer: 'raw' | 'validated') => context.ports.readings(layer),
    series: seriesOf(context),
    closedDays: new ClosedDaysRegistry(registry),
    toldSince: new ToldSince(registry),
    daysMade: new DaysMade({ registry, nowMs: () => context.process.clock.nowMs() }),
    tickets,
  };
  const subscription = listensTo === 'raw' ? 'series-flows' : 'days-due';
  return run(seriesFlowStage(ports, { lane, listensTo }), context, {
    subscription,
    sink: seriesFlowSink({ ...ports, daysMade: { write: (all) => written(ports.daysMade, all, context.watch) } }),
  });
}

async function written(daysMade: DaysMade, all: readonly SeriesMade[], watch: Watch): Promise<void> {
  try {
    await daysMade.write(all);
  } catch (error) {
    if (error instanceof OvertakenError) {
      watch.overtaken();
    }
    throw error;
  }
}

function sandboxOf({ process }: StageContext): ReturnType<typeof flowSandbox> {
  const kill = (): Promise<never> =>
    process.effect('poison', () => {
      process.end();
    }) as Promise<never>;
  return flowSandbox(kill);
}

function run<Input, Reads, Write>(
  stage: Stage<Input, Reads, Write>,
  context: StageContext,
  { subscription, sink }: { readonly subscription: Subscription; readonly sink: Sink<Write> },
): Promise<void> {
  const { process, ports, owner, limits, bug, watch } = context;
  const name = subscriptionName(subscription, lane);
  const real = {
    stage,
    ports: {
      source: watched(ports.source(name), watch),
      publisher: ports.publisher,
      deduper: ports.deduper(name),
      sink,
      deadLetters: ports.deadLetters,
      clock: process.clock,
      telemetry: silentTelemetry,
    },
    tickets: () => ports.tickets,
    signal: process.signal,
  };
  const running = bug?.running?.(real) ?? real;
  return runStage(observed(running.stage, watch), running.ports, { limits, owner, signal: process.signal });
}

function observed<Input, Reads, Write>(stage: Stage<Input, Reads, Write>, watch: Watch): Stage<Input, Reads, Write> {
  const messages = new Map<Input, LeasedMessage>();
  return {
    ...stage,
    decode: (message) => {
      const input = stage.decode(message);
      messages.set(input, message);
      return input;
    },
    handle: (inputs, reads) => {
      watch.handled(inputs.map((input) => ({ key: stage.key(input), message: messages.get(input) as LeasedMessage })));
      return stage.handle(inputs, reads);
    },
  };
}

function watched(source: Source, watch: Watch): Source {
  return {
    ...source,
    nack: (messages, delayMs) => {
      watch.gaveBack(messages);
      return source.nack(messages, delayMs);
    },
  };
}

const nowhere: Sink<never> = { write: () => Promise.resolve() };

function sinkOf<Write>(store: { write(writes: readonly Write[]): Promise<unknown> }): Sink<Write> {
  return {
    write: async (writes) => {
      await store.write(writes);
    },
  };
}

function activationsOf({ ports: { registry }, process }: StageContext): Activations {
  return new Activations({ registry, nowMs: () => process.clock.nowMs(), activationLeaseMs: cacheMs });
}

function seriesOf({ ports: { registry }, process }: StageContext): SeriesRegistry {
  return new SeriesRegistry({ registry, nowMs: () => process.clock.nowMs(), cacheMs });
}

function groupsOf(context: StageContext): { readonly groups: Groups; readonly zones: SeriesZones } {
  const series = seriesOf(context);
  const { ports, process } = context;
  const groups = new Groups({ registry: ports.registry, series, nowMs: () => process.clock.nowMs(), cacheMs });
  return { groups, zones: groupZones(series, groups) };
}

const compactionEveryMs = 250;
const closedForever = { fromMs: 0, closedBeforeMs: Date.UTC(2100, 0, 1), acceptedBeforeMs: Infinity };

/** Compacts every day, again and again, until it is told to stop: the stories' days are all closed, and nothing is erased. */
async function runCompaction({ process, ports: { rows } }: StageContext): Promise<void> {
  const { clock, signal } = process;
  while (rows !== undefined && !signal.aborted) {
    await clock.sleep(compactionEveryMs, signal);
    try {
      await compactReadings(rows, closedForever);
    } catch (error) {
      if (!(error instanceof TransientError)) {
        throw error;
      }
    }
  }
}

/** Takes sources in until it is told to stop, then finishes none: each is resumed when its sender sends it again. */
async function runIngest(context: StageContext): Promise<void> {
  const { process, ports, onOpen } = context;
  const activations = activationsOf(context);
  const takeInPorts: TakeInPorts = {
    sources: ports.sources,
    publisher: ports.publisher,
    clock: process.clock,
    telemetry: silentTelemetry,
    newestActivation: async (tenant) => (await activations.newest(tenant)).number,
    mappingAt: () => Promise.resolve(undefined),
    lengths: new KeptLengths({ registry: ports.registry, series: seriesOf(context) }),
    ends: new SeriesEnds(ports.registry),
    refusesUnknown: () => Promise.resolve(false),
    unknown: new UnknownSeries(ports.registry),
    keptMs,
    signal: process.signal,
  };
  const inWork = new Set<Promise<unknown>>();
  onOpen({
    process,
    takeIn: (request) => {
      const work = takeIn(request, takeInPorts);
      inWork.add(work);
      return work;
    },
  });
  await new Promise((resolve) => {
    process.signal.addEventListener('abort', resolve, { once: true });
  });
  await Promise.allSettled(inWork);
}
