import { failurePolicies, severities } from '@meterflow/rules';
import { z } from 'zod';

/** `flow.json` beside a tenant's rule files: their order, parameters and channels. Without it they run in the order of their names. */
const flowFileSchema = z.strictObject({
  onFailure: z.enum(failurePolicies).default('skip'),
  decimals: z.number().int().min(0).max(9).default(6),
  steps: z.array(
    z.strictObject({
      /** A rule file's name without its ending, or a stock rule's. */
      rule: z.string(),
      parameters: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])).default({}),
      channels: z.string().min(1).default('*'),
      severity: z.enum(severities).default('terminate'),
    }),
  ),
});

export type FlowFile = z.infer<typeof flowFileSchema>;

/** Thrown when a tenant's folder does not make a flow. Says which file, and what to do. */
export class FlowFileError extends Error {
  override readonly name = 'FlowFileError';
}

export function parseFlowFile(text: string): FlowFile {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new FlowFileError(`flow.json is not JSON: ${(error as Error).message}`, { cause: error });
  }
  const parsed = flowFileSchema.safeParse(json);
  if (!parsed.success) {
    throw new FlowFileError(`flow.json: ${z.prettifyError(parsed.error)}`);
  }
  return parsed.data;
}
