import { runStage, systemClock, type Sink, type Stage, type StageLimits, type Telemetry } from '@meterflow/stage';
import type { Platform } from './platform.ts';
import type { StageRun } from './run-service.ts';

export interface StageRunOptions<Write> {
  readonly platform: Platform;
  readonly subscription: string;
  readonly sink: Sink<Write>;
  readonly limits: StageLimits;
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
  const { platform, subscription, sink, limits, owner, telemetry } = options;
  const ports = {
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
    run: ({ signal, progress }) => runStage(stage, ports, { limits, owner, signal, progress }),
  };
}
