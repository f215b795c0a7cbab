import { randomUUID } from 'node:crypto';
import { untracedSpan, type LogFields, type Logger, type Telemetry } from '@meterflow/stage';
import { destination, pino, type DestinationStream } from 'pino';
import { Metrics } from './metrics.ts';
import type { Otlp } from './otlp/open-otlp.ts';
import { prometheusText } from './prometheus-text.ts';
import { redact, redactText } from './redact.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface TelemetryOptions {
  /** The service's name, on every line. */
  readonly service: string;
  readonly level: LogLevel;
  /**
   * Sends metrics and traces to an OpenTelemetry collector; without it neither leaves this process by itself. Of the
   * traces that begin here the part `traceRatio` is sent.
   */
  readonly otlp?: { readonly traceRatio: number } | undefined;
  /** Where lines go; standard error, written before the call returns, unless told. */
  readonly stream?: DestinationStream;
}

/** Telemetry of one process, and its metrics as Prometheus text. */
export interface ProcessTelemetry extends Telemetry {
  renderMetrics(): string;
  /** Calls each time before metrics leave this process: for what is looked up rather than counted. */
  onCollect(observe: () => void): void;
  /** Sends what is left, for `closeMsMax` at the most. */
  close(): Promise<void>;
}

const standardError = 2;
const closeMsMax = 2_000;

/** One JSON line a log call, and metrics in memory. */
export function createTelemetry(options: TelemetryOptions): ProcessTelemetry {
  const logger = createLogger(options);
  const metrics = new Metrics();
  const observers = [
    (): void => {
      observeProcess(metrics);
    },
  ];
  const collect = (): void => {
    for (const observe of observers) {
      observe();
    }
  };
  const opening = options.otlp === undefined ? undefined : open(options, { logger, metrics, collect });
  let otlp: Otlp | undefined;
  void opening?.then((opened) => {
    otlp = opened;
  });
  return {
    logger,
    count: (name, value = 1, labels = {}) => {
      metrics.count(name, value, labels);
    },
    observe: (name, value, labels = {}) => {
      metrics.observe(name, value, labels);
    },
    gauge: (name, value, labels = {}) => {
      metrics.gauge(name, value, labels);
    },
    startSpan: (name, start = {}) => otlp?.startSpan(name, start) ?? untracedSpan,
    onCollect: (observe) => {
      observers.push(observe);
    },
    renderMetrics: () => {
      collect();
      return prometheusText(metrics);
    },
    close: () => atMost(closeMsMax, async () => (await opening)?.close()),
  };
}

function createLogger(options: TelemetryOptions): Logger {
  // Synchronous: the last line before an exit is the one that is needed.
  const stream = options.stream ?? destination({ fd: standardError, sync: true });
  const log = pino(
    {
      base: { service: options.service, pid: process.pid },
      level: options.level,
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
    },
    stream,
  );
  const write =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      if (log.isLevelEnabled(level)) {
        log[level](redact(fields) as object, redactText(message));
      }
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

interface OtlpParts {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly collect: () => void;
}

/** Loaded only where it is used, and nothing waits for it: it is three times the start of all else. */
async function open(options: TelemetryOptions, { logger, metrics, collect }: OtlpParts): Promise<Otlp> {
  const { openOtlp } = await import('./otlp/open-otlp.ts');
  return openOtlp({
    service: options.service,
    // A process id is 1 in every container: a collector would take their counts for one process's.
    instance: randomUUID(),
    traceRatio: options.otlp?.traceRatio ?? 0,
    metrics,
    collect,
    onFailure: (message) => {
      metrics.count('telemetry_exports_failed_total', 1, {});
      logger.debug('telemetry could not be sent', { reason: message });
    },
  });
}

function observeProcess(metrics: Metrics): void {
  const { user, system } = process.cpuUsage();
  metrics.gauge('process_cpu_seconds', (user + system) / 1e6, {});
  metrics.gauge('process_resident_memory_bytes', process.memoryUsage.rss(), {});
}

async function atMost(ms: number, work: () => Promise<void>): Promise<void> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => {
    late.resolve(undefined);
  }, ms);
  await Promise.race([work().catch(() => undefined), late.promise]);
  clearTimeout(timer);
}
