import { BatchV1Api, CoordinationV1Api, CustomObjectsApi, KubeConfig } from '@kubernetes/client-node';
import { ConfigurationError, runService } from '@meterflow/service';
import { systemClock } from '@meterflow/stage';
import { createTelemetry, serveOperations } from '@meterflow/telemetry';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { BacklogMetrics } from './backlog-metrics.ts';
import { commandWords, help } from './command-words.ts';
import { externalMetrics } from './external-metrics.ts';
import { parseJobScalerConfig, type JobScalerConfig } from './job-scaler-config.ts';
import { kubernetesWorkers } from './kubernetes-workers.ts';
import { Leadership } from './leadership.ts';
import { prometheusMetrics } from './prometheus-metrics.ts';
import { ScalingLoop } from './scaling-loop.ts';
import { scalingPass } from './scaling-pass.ts';

const notConfigured = 2;
const drainMs = 15_000;
/** Passes that may fail before another leads. */
const passesPerLease = 3;
const msPerSecond = 1_000;
const nowMs = (): number => systemClock.nowMs();

const config = told();
const telemetry = createTelemetry({ service: 'job-scaler', level: config.logLevel });
const cluster = new KubeConfig();
cluster.loadFromDefault();
const { namespace } = config;
const periodMs = config.periodSeconds * msPerSecond;
const lagMs = config.metricLagSeconds * msPerSecond;
const ports = {
  telemetry,
  metrics: metricsOf(config),
  cluster: kubernetesWorkers({
    api: cluster.makeApiClient(BatchV1Api),
    namespace,
    finishedKeptSeconds: 2 * Math.ceil(config.metricLagSeconds) + 60,
  }),
};
const leadership = new Leadership({
  api: cluster.makeApiClient(CoordinationV1Api),
  namespace,
  name: 'job-scaler',
  identity: `${hostname()}.${randomBytes(4).toString('hex')}`,
  leaseMs: passesPerLease * periodMs,
  nowMs,
});
const loop = new ScalingLoop({
  periodMs,
  clock: systemClock,
  telemetry,
  hold: () => leadership.hold(),
  pass: () => scalingPass(config.workers, ports),
});

await runService({
  telemetry,
  tell: (probe) =>
    serveOperations(
      { host: '0.0.0.0', port: config.operationsPort },
      { ...probe, notLive: () => (loop.stuck ? 'no pass comes to its end' : undefined) },
    ),
  drainMs,
  stuckMs: drainMs,
  open: (lifecycle) => {
    const running = loop.run(lifecycle.signal);
    lifecycle.register('scaling', async () => {
      await running;
      await leadership.release();
    });
    return Promise.resolve([]);
  },
});

function metricsOf({ metrics }: JobScalerConfig): BacklogMetrics {
  switch (metrics.kind) {
    case 'prometheus':
      return prometheusMetrics({ url: metrics.url, lagMs, nowMs });
    case 'external-metrics':
      return externalMetrics({ api: cluster.makeApiClient(CustomObjectsApi), namespace, lagMs });
  }
}

/** What this process is told. Ends it where that does not fit, or where no more than that was asked. */
function told(): JobScalerConfig {
  try {
    const words = commandWords(process.argv.slice(2));
    if (words.kind === 'help') {
      process.stdout.write(help);
      process.exit(0);
    }
    const parsed = parseJobScalerConfig(readText(words.file));
    if (words.kind === 'validate') {
      process.stdout.write('the configuration fits\n');
      process.exit(0);
    }
    return parsed;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) {
      throw error;
    }
    process.stderr.write(`${error.message}\n`);
    process.exit(notConfigured);
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigurationError(`✖ ${file} can't be read: ${(error as Error).message}`);
  }
}
