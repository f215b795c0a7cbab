import type { Cause } from '@meterflow/readings';

interface Caused {
  readonly causes: readonly Cause[];
}

/** For each message to be made, which inputs it is made of: those that brought its causes. For traces alone. */
export function inputsOf(plans: readonly Caused[], inputs: readonly Caused[]): readonly (readonly number[])[] {
  const byKey = new Map<string, number>();
  inputs.forEach(({ causes }, index) => {
    for (const { key } of causes) {
      byKey.set(key, index);
    }
  });
  return plans.map(({ causes }) => [...new Set(causes.flatMap(({ key }) => byKey.get(key) ?? []))]);
}
