import { z } from 'zod';
import type { ExternalMetric, HpaSpec, ScalingRules } from './hpa-spec.ts';
import { milliValue } from './quantity.ts';
import { labelSelectorSchema, selectorText } from './selector-text.ts';

const int32 = z.int32();
const metricsMax = 100;
const policiesMax = 100;

const quantitySchema = z.union([z.string(), z.number()]).transform((quantity, context) => {
  try {
    return milliValue(quantity);
  } catch (error) {
    context.addIssue((error as Error).message);
    return z.NEVER;
  }
});

const metricSchema = z
  .strictObject({
    type: z.literal('External', 'Only External metrics are modelled: a stage scales on its backlog and message age.'),
    external: z.strictObject({
      metric: z.strictObject({ name: z.string().min(1), selector: labelSelectorSchema.nullish() }),
      target: z.strictObject({
        type: z.enum(['AverageValue', 'Value']),
        averageValue: quantitySchema.nullish(),
        value: quantitySchema.nullish(),
      }),
    }),
  })
  .transform(({ external: { metric, target } }, context): ExternalMetric => {
    // Where both are given the controller looks at averageValue alone, whatever the type says.
    const milli = target.averageValue ?? target.value;
    if (milli === undefined || milli === null) {
      context.addIssue('The target has neither an averageValue nor a value.');
      return z.NEVER;
    }
    const type = typeof target.averageValue === 'number' ? 'averageValue' : 'value';
    return { name: metric.name, selector: selectorText(metric.selector ?? {}), target: { type, milli } };
  });

const rulesSchema = z.strictObject({
  stabilizationWindowSeconds: int32.min(0).nullish(),
  selectPolicy: z.enum(['Max', 'Min', 'Disabled']).nullish(),
  policies: z
    .array(z.strictObject({ type: z.enum(['Pods', 'Percent']), value: int32, periodSeconds: int32 }))
    .max(policiesMax)
    .nullish(),
  tolerance: quantitySchema.nullish(),
});

const specSchema = z.strictObject({
  scaleTargetRef: z.unknown().optional(),
  minReplicas: int32.min(0).nullish(),
  maxReplicas: int32.min(1),
  metrics: z
    .array(metricSchema)
    .min(1, 'Without metrics the autoscaler looks at CPU, which is not modelled.')
    .max(metricsMax),
  behavior: z.strictObject({ scaleUp: rulesSchema.nullish(), scaleDown: rulesSchema.nullish() }).nullish(),
});

const manifestSchema = z.looseObject({
  kind: z.literal('HorizontalPodAutoscaler').optional(),
  apiVersion: z.literal('autoscaling/v2').optional(),
  spec: specSchema,
});

const periodSecondsDefault = 15;
const scaleUpDefault: ScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: periodSecondsDefault },
    { type: 'Percent', value: 100, periodSeconds: periodSecondsDefault },
  ],
};
const scaleDownDefault: ScalingRules = {
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: periodSecondsDefault }],
};

/** Thrown when a manifest is not a HorizontalPodAutoscaler that is modelled here; the message names each problem's place. */
export class HpaManifestError extends Error {
  override readonly name = 'HpaManifestError';
  readonly code = 'hpa-manifest-invalid';
}

/**
 * A parsed manifest (autoscaling/v2, with or without metadata) as the controller sees it, with the API server's defaults
 * (kubernetes/pkg/apis/autoscaling/v2/defaults.go). Throws {@link HpaManifestError}.
 */
export function parseHpa(manifest: unknown): HpaSpec {
  const parsed = manifestSchema.safeParse(manifest);
  if (!parsed.success) {
    throw new HpaManifestError(z.prettifyError(parsed.error));
  }
  const { minReplicas, maxReplicas, metrics, behavior } = parsed.data.spec;
  return {
    minReplicas: minReplicas ?? 1,
    maxReplicas,
    metrics,
    ...(behavior && {
      behavior: {
        scaleUp: filled(behavior.scaleUp, scaleUpDefault),
        scaleDown: filled(behavior.scaleDown, scaleDownDefault),
      },
    }),
  };
}

function filled(given: z.output<typeof rulesSchema> | null | undefined, defaults: ScalingRules): ScalingRules {
  const { stabilizationWindowSeconds, selectPolicy, policies, tolerance } = given ?? {};
  const windowSeconds = stabilizationWindowSeconds ?? defaults.stabilizationWindowSeconds;
  return {
    selectPolicy: selectPolicy ?? defaults.selectPolicy,
    policies: policies ?? defaults.policies,
    ...(windowSeconds !== undefined && { stabilizationWindowSeconds: windowSeconds }),
    ...(typeof tolerance === 'number' && { tolerance: tolerance / 1000 }),
  };
}
