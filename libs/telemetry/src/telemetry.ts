import type { LogFields, Logger, Telemetry } from '@meterflow/stage';
import { destination, pino, type DestinationStream } from 'pino';
import { Metrics } from './metrics.ts';
import { redact, redactText } from './redact.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface TelemetryOptions {
  /** The service's name, on every line. */
  readonly service: string;
  readonly level: LogLevel;
  /** Where lines go; standard error, written before the call returns, unless told. */
  readonly stream?: DestinationStream;
}

/** Telemetry of one process, and its metrics as Prometheus text. */
export interface ProcessTelemetry extends Telemetry {
  renderMetrics(): string;
}

const standardError = 2;

/** One JSON line a log call, and metrics in memory. */
export function createTelemetry(options: TelemetryOptions): ProcessTelemetry {
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
  const metrics = new Metrics();
  const write =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      if (log.isLevelEnabled(level)) {
        log[level](redact(fields) as object, redactText(message));
      }
    };
  const logger: Logger = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
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
    renderMetrics: () => {
      const { user, system } = process.cpuUsage();
      metrics.gauge('process_cpu_seconds', (user + system) / 1e6, {});
      metrics.gauge('process_resident_memory_bytes', process.memoryUsage.rss(), {});
      return metrics.render();
    },
  };
}
