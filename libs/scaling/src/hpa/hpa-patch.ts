import type { HpaSpec, ScalingRules } from './hpa-spec.ts';

const milliPerUnit = 1_000;

/** A strategic-merge patch with these settings, for kustomize and `kubectl patch --type merge`; a plain object for YAML. */
export function hpaPatch(spec: HpaSpec, name: string): Readonly<Record<string, unknown>> {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name },
    spec: {
      minReplicas: spec.minReplicas,
      maxReplicas: spec.maxReplicas,
      metrics: spec.metrics.map((metric) => ({
        type: 'External',
        external: {
          metric: { name: metric.name, ...(metric.selector !== '' && { selector: selectorOf(metric.selector) }) },
          target:
            metric.target.type === 'averageValue'
              ? { type: 'AverageValue', averageValue: quantity(metric.target.milli) }
              : { type: 'Value', value: quantity(metric.target.milli) },
        },
      })),
      ...(spec.behavior && {
        behavior: { scaleUp: rules(spec.behavior.scaleUp), scaleDown: rules(spec.behavior.scaleDown) },
      }),
    },
  };
}

/** Of the text of a selector that says what labels are; throws RangeError for one with other requirements. */
function selectorOf(text: string): { readonly matchLabels: Readonly<Record<string, string>> } {
  const pairs = text.split(',').map((requirement) => requirement.split('='));
  if (pairs.some((pair) => pair.length !== 2)) {
    throw new RangeError(`The selector "${text}" says more than what labels are, and is not written.`);
  }
  return { matchLabels: Object.fromEntries(pairs) as Record<string, string> };
}

function quantity(milli: number): string {
  return milli % milliPerUnit === 0 ? String(milli / milliPerUnit) : `${milli}m`;
}

function rules({
  stabilizationWindowSeconds,
  selectPolicy,
  policies,
}: ScalingRules): Readonly<Record<string, unknown>> {
  return { stabilizationWindowSeconds, selectPolicy, policies: policies.map((policy) => ({ ...policy })) };
}
