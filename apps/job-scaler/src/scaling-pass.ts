import { jobsToStart } from '@meterflow/scaling';
import type { Telemetry } from '@meterflow/stage';
import type { BacklogMetrics } from './backlog-metrics.ts';
import type { WorkerSettings } from './job-scaler-config.ts';
import type { WorkerCluster } from './worker-jobs.ts';

export interface ScalingPorts {
  readonly metrics: BacklogMetrics;
  readonly cluster: WorkerCluster;
  readonly telemetry: Telemetry;
}

const msPerSecond = 1_000;

/** Looks at each stage once and starts the Jobs that it lacks. Never rejects: a stage that fails stops no other. */
export async function scalingPass(workers: readonly WorkerSettings[], ports: ScalingPorts): Promise<void> {
  for (const worker of workers) {
    try {
      await scale(worker, ports);
    } catch (error) {
      ports.telemetry.count('job_scaler_failures_total', 1, { worker: worker.name });
      ports.telemetry.logger.warn('could not scale; it is tried again', { worker: worker.name, error });
    }
  }
}

async function scale(worker: WorkerSettings, { metrics, cluster, telemetry }: ScalingPorts): Promise<void> {
  // Metrics first: what finishes in between is then known, and makes them outdated.
  const measured = await metrics.read(worker);
  const { running, lastIdleAtMs } = await cluster.jobs(worker.name);
  const count = jobsToStart(
    {
      backlogMessages: measured.messages,
      takenAtMs: measured.takenAtMs,
      ackedMessages: measured.ackedMessages,
      running,
      lastIdleAtMs,
    },
    worker,
  );
  telemetry.gauge('job_scaler_backlog_messages', measured.messages, { worker: worker.name });
  telemetry.gauge('job_scaler_jobs_now', running + count, { worker: worker.name });
  for (let i = running; i < running + count; i += 1) {
    // Named by what was seen: who saw the same, while two believe to lead, starts the same Jobs and no others.
    await cluster.start(worker.name, `${worker.name}-${Math.floor(measured.takenAtMs / msPerSecond)}-${i}`);
    telemetry.count('job_scaler_jobs_started_total', 1, { worker: worker.name });
  }
  if (count > 0) {
    telemetry.logger.info('started', { worker: worker.name, count, running, ...measured });
  }
}
