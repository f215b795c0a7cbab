import type { Flow, FlowStep } from './flow.ts';

/** The flow with this step: in the place of the one of the same rule and channels, or else as the last. */
export function withStep(flow: Flow, step: FlowStep): Flow {
  const same = ({ rule, channels }: FlowStep): boolean => rule.name === step.rule.name && channels === step.channels;
  const steps = flow.steps.some(same) ? flow.steps.map((each) => (same(each) ? step : each)) : [...flow.steps, step];
  return { ...flow, name: 'rules', steps };
}
