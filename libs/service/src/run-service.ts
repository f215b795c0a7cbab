import { Lifecycle, nodeProcess, nodeTimers, stopWithProcess } from '@meterflow/graceful-shutdown';
import { endWhenIdle } from './end-when-idle.ts';
import type { StageRun } from './stage-run.ts';
import { StageProgress, systemClock, TransientError, type Logger } from '@meterflow/stage';
import { observeStages, registerTelemetry, type ServiceProbe, type ServiceTelemetry } from './service-telemetry.ts';

export interface ServiceOptions {
  readonly telemetry: ServiceTelemetry;
  /** Makes the process tell how it is; resolves with what ends that. The service runs on where it can't. */
  readonly tell: (probe: ServiceProbe) => Promise<() => Promise<void>>;
  /** How long the drain may take: within the platform's grace period, with a margin. */
  readonly drainMs: number;
  /** The service is stuck when messages are in work and none was settled for so long: longer than any handler may take. */
  readonly stuckMs: number;
  /** Ends by itself, with 0, after it had nothing to do for so long; runs until it is told to end when not given. */
  readonly idleMs?: number | undefined;
  /** Opens what the stages need, registering how each closes, and returns the stages. */
  open(lifecycle: Lifecycle): Promise<readonly StageRun[]>;
}

const aliveEveryMs = 1_000;

/**
 * The process of one service: opens, runs its stages, drains on SIGTERM, and tells its supervisor over the IPC channel
 * (where there is one) that it is ready and whether its work moves.
 */
export async function runService(options: ServiceOptions): Promise<void> {
  const { telemetry, drainMs } = options;
  let isTold = false;
  const { logger } = telemetry;
  const log: Logger = {
    debug: (message, fields) => {
      logger.debug(message, fields);
    },
    info: (message, fields) => {
      logger.info(message, fields);
    },
    warn: (message, fields) => {
      logger.warn(message, fields);
    },
    // What ended the start is for the supervisor to say, in words for whoever started it.
    error: (message, fields) => {
      if (isTold) {
        logger.debug(message, fields);
      } else {
        logger.error(message, fields);
      }
    },
  };
  const timers = nodeTimers();
  const lifecycle = new Lifecycle({ timers, log });
  stopWithProcess(lifecycle, { process: nodeProcess(), timers, log, drainMs });
  let progresses: readonly StageProgress[] = [];
  const stuck = (): boolean => progresses.some((progress) => progress.stuck(systemClock.nowMs(), options.stuckMs));
  registerTelemetry(lifecycle, telemetry);
  try {
    await tellHowItIs(options, lifecycle, stuck);
    const stages = await options.open(lifecycle);
    progresses = run(stages, lifecycle, drainMs);
    observeStages(stages, progresses, telemetry);
    tellSupervisor(stuck, lifecycle);
    lifecycle.started();
    if (options.idleMs !== undefined) {
      endWhenIdle(lifecycle, { idleMs: options.idleMs, drainMs, progresses });
    }
  } catch (error) {
    isTold = process.connected;
    tellFailed(error);
    void lifecycle.fail(error, drainMs);
  }
}

async function tellHowItIs(options: ServiceOptions, lifecycle: Lifecycle, stuck: () => boolean): Promise<void> {
  const { telemetry } = options;
  try {
    const close = await options.tell({
      notLive: () => (stuck() ? 'a stage does not come on' : undefined),
      notReady: () => (lifecycle.ready ? undefined : lifecycle.state),
      metrics: () => telemetry.renderMetrics(),
    });
    lifecycle.register('operations', close);
  } catch (error) {
    telemetry.logger.warn('nobody can ask this process how it is', { error });
  }
}

function tellFailed(error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  tell({ type: 'failed', reason, mayPass: error instanceof TransientError });
}

/** To the supervisor, where there is one. */
function tell(message: object): void {
  if (process.connected) {
    process.send?.(message);
  }
}

function run(stages: readonly StageRun[], lifecycle: Lifecycle, drainMs: number): readonly StageProgress[] {
  const progresses = stages.map(() => new StageProgress());
  const runs = stages.map((stage, index) =>
    stage.run({ signal: lifecycle.signal, progress: progresses[index] as StageProgress }).catch((error: unknown) => {
      tellFailed(error);
      void lifecycle.fail(error, drainMs);
    }),
  );
  lifecycle.register('stages', async () => {
    await Promise.all(runs);
  });
  return progresses;
}

function tellSupervisor(stuck: () => boolean, lifecycle: Lifecycle): void {
  if (process.send === undefined) {
    return;
  }
  const alive = setInterval(() => {
    tell({ type: 'alive', stuck: stuck() });
  }, aliveEveryMs);
  lifecycle.register('supervisor', () => {
    clearInterval(alive);
  });
  tell({ type: 'ready' });
}
