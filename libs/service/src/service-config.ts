import { z } from 'zod';
import { ConfigurationError } from './configuration-error.ts';
import { platformConfig, platformEnvironment, platformProblems, type PlatformConfig } from './platform-config.ts';
import { builtInPlatform, parsePlatformFile, type PlatformFile } from './platform-file.ts';

const msPerUnit: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

/** What every service is told by its environment. Unknown METERFLOW_ variables are refused: a misspelt one must not be silent. */
export const serviceEnvironment = {
  ...platformEnvironment,
  METERFLOW_DATA_DIR: z
    .string()
    .min(1)
    .describe('the data directory; on google only sockets, dropped files and rules from files are in it'),
  METERFLOW_LANES: z
    .string()
    .transform((text) => text.split(','))
    .optional()
    .describe('lanes that this process serves, separated by commas; all of the platform file when absent'),
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
  METERFLOW_EXIT_WHEN_IDLE: z
    .string()
    .regex(/^\d{1,6}(?:\.\d{1,3})?[smh]$/, 'is to be a time like 60s or 5m')
    .transform((time) => Number(time.slice(0, -1)) * (msPerUnit[time.slice(-1)] ?? 0))
    .refine((ms) => ms > 0, 'is to be more than none')
    .optional()
    .describe('ends with 0 after it had nothing to do for so long, as the worker of a Job: 60s; also --exit-when-idle'),
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
  /** What the system consists of. */
  readonly declared: PlatformFile;
  readonly dataDir: string;
  readonly lanes: readonly string[];
  readonly owner: string;
  readonly drainMs: number;
  readonly stuckMs: number;
  /** There when the process ends by itself after it had nothing to do for so long. */
  readonly idleMs?: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** Where this process tells how it is. */
  readonly operations: { readonly socket: string } | { readonly host: string; readonly port: number };
  /** There when traces and metrics are sent to a collector. */
  readonly otlp?: { readonly traceRatio: number };
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

type Environment = Readonly<Record<string, string | undefined>>;

export interface ConfiguredProcess {
  /** Tells this run of this process from every other, anywhere: a process id does not, it is 1 in every container. */
  readonly run: string;
  /** Of a file that the configuration names. */
  readonly readText: (path: string) => string;
}

/** What one service is told beside what all are. */
export interface OwnVariables<Shape extends z.ZodRawShape> {
  readonly shape: Shape;
  /** What does not fit together. */
  readonly problems: (own: z.infer<z.ZodObject<Shape>>, config: ServiceConfig) => readonly string[];
}

/** The part of the environment that all services share. Throws ConfigurationError naming every problem. */
export function parseServiceConfig(
  environment: Environment,
  made: ConfiguredProcess & { readonly service: string },
): ServiceConfig {
  return parseConfiguration(environment, made, { shape: {}, problems: () => [] }).config;
}

/** That part, and the service's own. Throws ConfigurationError naming every problem. */
export function parseConfiguration<Shape extends z.ZodRawShape>(
  environment: Environment,
  made: ConfiguredProcess & { readonly service: string },
  { shape, problems: problemsOf }: OwnVariables<Shape>,
): { readonly config: ServiceConfig; readonly own: z.infer<z.ZodObject<Shape>> } {
  const problems: string[] = [];
  const isOwn = ([name]: [string, unknown]): boolean => Object.hasOwn(shape, name);
  const entries = Object.entries(environment);
  const own = collected(problems, () => parseEnvironment(shape, Object.fromEntries(entries.filter(isOwn))));
  const shared = collected(problems, () => {
    const others = Object.fromEntries(entries.filter((entry) => !isOwn(entry)));
    return parseEnvironment(serviceEnvironment, others);
  });
  problems.push(...platformProblems(environment));
  const declared = collected(problems, () => declaredBy(environment, made.readText));
  const otlp = collected(problems, () => otlpOf(environment));
  if (declared !== undefined) {
    problems.push(...laneProblems(environment['METERFLOW_LANES']?.split(',') ?? [], declared));
  }
  if (own === undefined || shared === undefined || declared === undefined || otlp === undefined) {
    throw new ConfigurationError(problems.join('\n'));
  }
  const config = collected(problems, () => ({ ...configOf(shared, declared, { environment, made }), ...otlp }));
  problems.push(...(config === undefined ? [] : problemsOf(own, config)));
  if (config === undefined || problems.length > 0) {
    throw new ConfigurationError(problems.join('\n'));
  }
  return { config, own };
}

/** Undefined where `parse` told of problems, which are kept. */
function collected<Result>(problems: string[], parse: () => Result): Result | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) {
      throw error;
    }
    problems.push(error.message);
    return undefined;
  }
}

/** The platform file that an environment names, or what is built in. */
export function declaredBy(environment: Environment, readText: ConfiguredProcess['readText']): PlatformFile {
  const path = environment['METERFLOW_PLATFORM_FILE'];
  if (path === undefined || path === '') {
    return builtInPlatform;
  }
  let text: string;
  try {
    text = readText(path);
  } catch (error) {
    throw new ConfigurationError(`✖ METERFLOW_PLATFORM_FILE can't be read: ${(error as Error).message}`);
  }
  return parsePlatformFile(text, path);
}

function laneProblems(asked: readonly string[], { lanes }: PlatformFile): readonly string[] {
  return asked
    .filter((lane) => !lanes.includes(lane))
    .map((lane) => `✖ METERFLOW_LANES: there is no lane "${lane}", only ${lanes.join(', ')}`);
}

function configOf(
  parsed: z.infer<z.ZodObject<typeof serviceEnvironment>>,
  declared: PlatformFile,
  { environment, made }: { environment: Environment; made: ConfiguredProcess & { readonly service: string } },
): ServiceConfig {
  return {
    platform: platformConfig(parsed, declared, { environment, readText: made.readText }),
    declared,
    dataDir: parsed.METERFLOW_DATA_DIR,
    lanes: parsed.METERFLOW_LANES ?? declared.lanes,
    owner: parsed.METERFLOW_OWNER ?? `${made.service}.${made.run}`,
    drainMs: parsed.METERFLOW_DRAIN_MS,
    stuckMs: parsed.METERFLOW_STUCK_MS,
    ...(parsed.METERFLOW_EXIT_WHEN_IDLE !== undefined && { idleMs: parsed.METERFLOW_EXIT_WHEN_IDLE }),
    logLevel: parsed.METERFLOW_LOG_LEVEL,
    operations:
      parsed.METERFLOW_OPERATIONS_PORT === undefined
        ? { socket: operationsSocket(parsed.METERFLOW_DATA_DIR, made.service) }
        : { host: '0.0.0.0', port: parsed.METERFLOW_OPERATIONS_PORT },
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
