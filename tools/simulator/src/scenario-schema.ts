import { parseHpa, replaySecondsMax, type Scenario } from '@meterflow/scaling';
import { z } from 'zod';

const stepsMax = 1_000_000;
const replicasMax = 2 ** 31 - 1;
/** Each sync looks at all that were in the stabilization window: shorter ones would take hours. */
const syncSecondsMin = 0.1;

const stepSchema = z.strictObject({
  at: z.number().min(0),
  values: z.record(z.string(), z.number().nullable()),
});

export const stepsSchema = z
  .array(stepSchema)
  .max(stepsMax)
  .refine(
    (steps) => steps.every(({ at }, i) => i === 0 || at >= (steps[i - 1]?.at ?? 0)),
    'Steps stand in order of `at`.',
  );

/** How a replay runs; the names and defaults are those of hpa-replay's scenarios. */
export const replaySettingsSchema = z.object({
  replicas: z.int().min(0).max(replicasMax).default(1),
  seconds: z.number().positive().max(replaySecondsMax),
  syncSeconds: z.number().min(syncSecondsMin).default(15),
  podReadySeconds: z.number().min(0).default(0),
  tolerance: z.number().min(0).default(0.1),
  downscaleStabilizationSeconds: z.number().min(0).default(300),
  configurableTolerance: z.boolean().default(false),
});

export type ReplaySettings = z.input<typeof replaySettingsSchema>;

const scenarioSchema = replaySettingsSchema.extend({ hpa: z.unknown(), steps: stepsSchema });

/** A scenario as hpa-replay reads it: one JSON document with the autoscaler, the settings and the steps. */
export function parseScenario(scenario: unknown): Scenario {
  const { hpa, ...settings } = scenarioSchema.parse(scenario);
  return { spec: parseHpa(hpa), ...settings };
}
