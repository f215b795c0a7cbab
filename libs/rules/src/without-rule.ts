import type { Flow } from './flow.ts';

/** The flow without a rule, on these channels or on all; undefined where it has no such step. */
export function withoutRule(flow: Flow, name: string, channels?: string): Flow | undefined {
  const steps = flow.steps.filter(
    (step) => step.rule.name !== name || (channels !== undefined && step.channels !== channels),
  );
  return steps.length === flow.steps.length ? undefined : { ...flow, name: 'rules', steps };
}
