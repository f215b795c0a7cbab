import { z } from 'zod';

const labelsMax = 100;

export const labelSelectorSchema = z.strictObject({
  matchLabels: z.record(z.string(), z.string()).optional(),
  matchExpressions: z
    .array(
      z.strictObject({
        key: z.string(),
        operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
        values: z.array(z.string()).max(labelsMax).nullish(),
      }),
    )
    .max(labelsMax)
    .nullish(),
});

type LabelSelector = z.output<typeof labelSelectorSchema>;
type Expression = NonNullable<LabelSelector['matchExpressions']>[number];

/** A label selector as Kubernetes prints it, sorted by key: `a=b,c in (d,e),!f`. */
export function selectorText({ matchLabels = {}, matchExpressions }: LabelSelector): string {
  const requirements = [
    ...Object.entries(matchLabels).map(([key, value]) => ({ key, text: `${key}=${value}` })),
    ...(matchExpressions ?? []).map((expression) => ({ key: expression.key, text: requirement(expression) })),
  ];
  return requirements
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ text }) => text)
    .join(',');
}

function requirement({ key, operator, values }: Expression): string {
  const list = [...new Set(values ?? [])].sort().join(',');
  switch (operator) {
    case 'In':
      return `${key} in (${list})`;
    case 'NotIn':
      return `${key} notin (${list})`;
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
  }
}
