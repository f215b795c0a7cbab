import { z } from 'zod';
import { platformConfig, platformEnvironment, platformProblems, type PlatformConfig } from './platform-config.ts';

/** What every service is told by its environment. Unknown METERFLOW_ variables are refused: a misspelt one must not be silent. */
export const serviceEnvironment = {
  ...platformEnvironment,
  METERFLOW_DATA_DIR: z
    .string()
    .min(1)
    .describe('the data directory; on google only sockets, dropped files and rules from files are in it'),
  METERFLOW_LANES: z
    .string()
    .default('live,bulk')
    .transform((text) => text.split(','))
    .describe('lanes that this process serves, separated by commas'),
  METERFLOW_OWNER: z.string().min(1).optional().describe('names this run of this process; made up when absent'),
  METERFLOW_DRAIN_MS: z.coerce.number().int().positive().default(20_000).describe('how long a drain may take'),
  METERFLOW_STUCK_MS: z.coerce.number().int().positive().default(30_000).describe('longer than any handler may take'),
  METERFLOW_OPERATIONS_PORT: z.coerce
    .number()
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .describe('/livez, /readyz and /metrics of this process on a port; on a socket in the data directory when absent'),
  METERFLOW_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
};

/** What OpenTelemetry names itself; where it is sent to with which headers, its exporters read for themselves. */
const telemetryEnvironment = z.object({
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url().optional(),
  OTEL_SDK_DISABLED: z.stringbool().optional(),
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number().min(0).max(1).default(0.05),
});

export interface ServiceConfig {
  readonly platform: PlatformConfig;
  readonly dataDir: string;
  readonly lanes: readonly string[];
  readonly owner: string;
  readonly drainMs: number;
  readonly stuckMs: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** Where this process tells how it is. */
  readonly operations: { readonly socket: string } | { readonly host: string; readonly port: number };
  /** There when traces and metrics are sent to a collector. */
  readonly otlp?: { readonly traceRatio: number };
}

/** Thrown when the environment does not fit; the message names every problem. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/** Parses the METERFLOW_ variables of an environment by `shape`; names every problem at once. */
export function parseEnvironment<Shape extends z.ZodRawShape>(
  shape: Shape,
  environment: Readonly<Record<string, string | undefined>>,
): z.infer<z.ZodObject<Shape>> {
  const ours = Object.fromEntries(Object.entries(environment).filter(([name]) => name.startsWith('METERFLOW_')));
  const parsed = z.strictObject(shape).safeParse(ours);
  if (!parsed.success) {
    throw new ConfigurationError(z.prettifyError(parsed.error));
  }
  return parsed.data;
}

/** The part of the environment that all services share. */
export function parseServiceConfig(
  environment: Readonly<Record<string, string | undefined>>,
  made: { readonly service: string; readonly pid: number },
): ServiceConfig {
  const parsed = parseEnvironment(serviceEnvironment, environment);
  const problems = platformProblems(parsed);
  if (problems.length > 0) {
    throw new ConfigurationError(problems.map((problem) => `✖ ${problem}`).join('\n'));
  }
  return {
    platform: platformConfig(parsed, environment),
    dataDir: parsed.METERFLOW_DATA_DIR,
    lanes: parsed.METERFLOW_LANES,
    owner: parsed.METERFLOW_OWNER ?? `${made.service}.${made.pid}`,
    drainMs: parsed.METERFLOW_DRAIN_MS,
    stuckMs: parsed.METERFLOW_STUCK_MS,
    logLevel: parsed.METERFLOW_LOG_LEVEL,
    operations:
      parsed.METERFLOW_OPERATIONS_PORT === undefined
        ? { socket: operationsSocket(parsed.METERFLOW_DATA_DIR, made.service) }
        : { host: '0.0.0.0', port: parsed.METERFLOW_OPERATIONS_PORT },
    ...otlpOf(environment),
  };
}

/** Of a service on the machine that has the data directory. */
export function operationsSocket(dataDir: string, service: string): string {
  return `${dataDir}/run/${service}.ops.sock`;
}

function otlpOf(environment: Readonly<Record<string, string | undefined>>): Pick<ServiceConfig, 'otlp'> {
  const parsed = telemetryEnvironment.safeParse(environment);
  if (!parsed.success) {
    throw new ConfigurationError(z.prettifyError(parsed.error));
  }
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SDK_DISABLED: disabled } = parsed.data;
  return endpoint === undefined || disabled === true
    ? {}
    : { otlp: { traceRatio: parsed.data.OTEL_TRACES_SAMPLER_ARG } };
}
