import {
  bulkStageLimits,
  runStage,
  stageLimits,
  systemClock,
  type Sink,
  type Stage,
  type StageLimits,
  type StageProgress,
  type Telemetry,
} from '@meterflow/stage';
import type { Platform } from './platform.ts';
import { WatchedDownstream } from './watched-downstream.ts';

/** A stage on one subscription, ready to run until the signal aborts. */
export interface StageRun {
  readonly name: string;
  readonly subscription: string;
  run(options: { readonly signal: AbortSignal; readonly progress: StageProgress }): Promise<void>;
}

export interface StageRunOptions<Write> {
  readonly platform: Platform;
  readonly subscription: string;
  readonly sink: Sink<Write>;
  /** Subscriptions to what it publishes: while one of them is behind, it is held back. */
  readonly downstream?: readonly string[];
  /** Chooses the limits: `bulk` work is grouped, the rest is hurried. */
  readonly lane: string;
  readonly limits?: Partial<StageLimits>;
  readonly owner: string;
  readonly telemetry: Telemetry;
}

/** For a stage that writes nothing: all it does is publish. */
export const noSink: Sink<never> = { write: () => Promise.resolve() };

/** A stage on one subscription of a platform. */
export function stageRun<Input, Reads, Write>(
  stage: Stage<Input, Reads, Write>,
  options: StageRunOptions<Write>,
): StageRun {
  const { platform, subscription, sink, lane, owner, telemetry } = options;
  const limits =
    lane === 'bulk'
      ? { ...bulkStageLimits, ...platform.limits?.bulk, ...options.limits }
      : { ...stageLimits, ...platform.limits?.live, ...options.limits };
  const backlogs = platform.backlogs?.bind(platform);
  const { downstream: subscriptions = [] } = options;
  const downstream =
    backlogs === undefined || subscriptions.length === 0
      ? undefined
      : new WatchedDownstream({ subscriptions, backlogs, clock: systemClock });
  const ports = {
    ...(downstream === undefined ? {} : { downstream }),
    source: platform.source(subscription),
    publisher: platform.publisher,
    deduper: platform.deduper(subscription),
    sink,
    deadLetters: platform.deadLetters,
    clock: systemClock,
    telemetry,
  };
  return {
    name: `${stage.name} on ${subscription}`,
    subscription,
    run: ({ signal, progress }) => runStage(stage, ports, { limits, owner, signal, progress }),
  };
}
