import type { Flow, FlowStep } from './flow.ts';
import { allMeters, type MeterShare } from './meter-share.ts';

/**
 * The flow with this step: in the place of those of the same rule and channels, or else as the last, unless it is to stand
 * before the first step of another rule. A step for a share of the meters leaves the others what they had. Undefined where the
 * same, with the same parameters, has a larger share already: to make that smaller is to go back.
 */
export function withStep(flow: Flow, step: FlowStep, before?: string): Flow | undefined {
  const own = step.share ?? allMeters;
  const same = ({ rule, channels }: FlowStep): boolean => rule.name === step.rule.name && channels === step.channels;
  const larger = flow.steps.some((each) => {
    const { from, to } = each.share ?? allMeters;
    return same(each) && meaning(each) === meaning(step) && from === 0 && to > own.to;
  });
  if (larger) {
    return undefined;
  }
  const left = flow.steps.flatMap((each) => (same(each) ? beyond(each, own) : [each]));
  // What stood before the first of them stands before it still: nothing of that was left out.
  const at = before === undefined ? flow.steps.findIndex(same) : left.findIndex(({ rule }) => rule.name === before);
  const position = at < 0 ? left.length : at;
  return { ...flow, name: 'rules', steps: left.toSpliced(position, 0, step) };
}

function meaning({ rule, parameters }: FlowStep): string {
  return JSON.stringify([rule.id, Object.entries(parameters).sort()]);
}

/** What is left of a step where the first meters, up to `taken.to`, go to another. */
function beyond(step: FlowStep, taken: MeterShare): readonly FlowStep[] {
  const { from, to } = step.share ?? allMeters;
  const share = { from: Math.max(from, taken.to), to };
  return share.from < share.to ? [{ ...step, share }] : [];
}
