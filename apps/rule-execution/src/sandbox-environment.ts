import { sandboxLimits, type SandboxLimits } from '@meterflow/sandbox';
import { z } from 'zod';

const names = Object.keys(sandboxLimits) as (keyof SandboxLimits)[];

/** Some of the sandbox's limits, by name, each a whole number from 1 on. */
const limits = z.strictObject(
  Object.fromEntries(names.map((name) => [name, z.number().int().positive().optional()])),
) as unknown as z.ZodType<Partial<SandboxLimits>>;

/** What rule-execution is told beside what all services are. */
export const sandboxEnvironment = {
  METERFLOW_SANDBOX_SOCKET: z
    .string()
    .min(1)
    .optional()
    .describe('the Unix socket of a sandbox container; children are processes of this one when absent'),
  METERFLOW_SANDBOX_LIMITS: z
    .string()
    .default('{}')
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: 'custom', message: 'is not JSON: {"batchCpuMsMax":500} is an example' });
        return z.NEVER;
      }
    })
    .pipe(limits)
    .describe(`limits of rules, a JSON object of some of ${names.join(', ')}`),
};
