import { ConfigurationError } from '@meterflow/service';
import { z } from 'zod';

const workersMax = 100;
const queryCharsMax = 4_000;
/** Kubernetes allows 63; a Job's name goes on with an instant and a number. */
const name = z
  .string()
  .regex(/^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/, 'is to be a name of Kubernetes of at most 40 letters');
const query = z.string().min(1).max(queryCharsMax);

const workerSchema = z.strictObject({
  name: name.describe('of the suspended CronJob that is the template of its Jobs'),
  backlog: query.describe('how the messages are asked for that wait for this stage'),
  acked: query.describe('… and those that it acked within the time that the backlog is late'),
  targetMessages: z.number().positive().describe('messages that one more Job is worth'),
  jobsMax: z.int().min(1).max(1_000),
});

const configSchema = z.strictObject({
  $schema: z.string().optional(),
  namespace: name.default('meterflow'),
  metrics: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('prometheus'), url: z.url({ protocol: /^https?$/ }) }),
    z.strictObject({ kind: z.literal('external-metrics') }),
  ]),
  metricLagSeconds: z.number().min(0).max(3_600).default(240).describe('sampling and lag together, at the most'),
  periodSeconds: z.number().min(0.1).max(60).default(10),
  operationsPort: z.int().min(1).max(65_535).default(9_464),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  workers: z
    .array(workerSchema)
    .min(1)
    .max(workersMax)
    .refine(
      (workers) => new Set(workers.map((each) => each.name)).size === workers.length,
      'are to have distinct names',
    ),
});

export type WorkerSettings = z.infer<typeof workerSchema>;
export type JobScalerConfig = z.infer<typeof configSchema>;

/** Throws ConfigurationError naming every problem. */
export function parseJobScalerConfig(text: string): JobScalerConfig {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ConfigurationError(`✖ the configuration is no JSON: ${(error as Error).message}`);
  }
  const parsed = configSchema.safeParse(value);
  if (!parsed.success) {
    throw new ConfigurationError(z.prettifyError(parsed.error));
  }
  return parsed.data;
}
