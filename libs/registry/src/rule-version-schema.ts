import type { RuleVersion, SeriesNeeds } from '@meterflow/rules';
import { z } from 'zod';

// Loose: what a newer build adds must survive being read here.
export const seriesNeedsSchema = z.looseObject({
  reads: z.array(z.string()),
  emits: z.array(z.string()),
  lookBackDays: z.number().int().min(0),
  lookAheadDays: z.number().int().min(0),
  tags: z.array(z.string()),
}) satisfies z.ZodType<SeriesNeeds>;

export const ruleVersionSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  contract: z.number(),
  source: z.string(),
  lines: z.array(z.string()).exactOptional(),
  series: seriesNeedsSchema.exactOptional(),
}) satisfies z.ZodType<RuleVersion>;
