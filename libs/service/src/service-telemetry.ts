import type { Lifecycle } from '@meterflow/graceful-shutdown';
import { systemClock, type StageProgress, type Telemetry } from '@meterflow/stage';
import type { StageRun } from './stage-run.ts';

/** Telemetry of a process that others ask for its metrics. */
export interface ServiceTelemetry extends Telemetry {
  /** Prometheus text. */
  renderMetrics(): string;
  /** Calls each time before metrics leave this process. */
  onCollect(observe: () => void): void;
  /** Sends what is left. Never rejects. */
  close(): Promise<void>;
}

/** What a process tells whoever runs it. */
export interface ServiceProbe {
  readonly notLive: () => string | undefined;
  readonly notReady: () => string | undefined;
  readonly metrics: () => string;
}

/** Registered first, so that it closes last: how long the drain took is told when all else is closed. */
export function registerTelemetry(lifecycle: Lifecycle, telemetry: ServiceTelemetry): void {
  let sinceMs = 0;
  lifecycle.signal.addEventListener('abort', () => {
    sinceMs = systemClock.nowMs();
  });
  lifecycle.register('telemetry', async () => {
    const durationMs = Math.round(systemClock.nowMs() - sinceMs);
    telemetry.observe('service_drain_duration_ms', durationMs);
    telemetry.logger.info('drained', { durationMs });
    await telemetry.close();
  });
}

/** What each stage has in work, and whether it comes on. */
export function observeStages(
  stages: readonly StageRun[],
  progresses: readonly StageProgress[],
  telemetry: ServiceTelemetry,
): void {
  telemetry.onCollect(() => {
    stages.forEach(({ subscription }, index) => {
      telemetry.gauge('stage_messages_in_flight', progresses[index]?.inFlight ?? 0, { subscription });
    });
  });
}
