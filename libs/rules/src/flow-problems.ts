import { matchesChannel } from './channel-glob.ts';
import type { Flow, FlowStep } from './flow.ts';
import { allMeters } from './meter-share.ts';

/** One thing that a flow can't be, and what to do about it. */
export interface FlowProblem {
  readonly rule: string;
  readonly problem: string;
}

/**
 * What would make the result of a flow hang on which of its runs came last, or have it run on what it makes itself:
 * a step on a channel that its own rule emits on; two that emit on one channel of the same meters, from whichever of theirs,
 * or one that does so on a glob, of which a meter may have two channels; one that reads what another emits (rules read raw
 * readings, and never see what is made); and one that reads other channels on a glob, whose own days nobody finds when those change.
 */
export function flowProblems({ steps }: Flow): FlowProblem[] {
  return steps.flatMap((step, index) => [
    ...ownProblems(step),
    ...steps.slice(0, index).flatMap((earlier) => pairProblems(earlier, step)),
  ]);
}

function ownProblems({ rule: { name, series }, channels }: FlowStep): FlowProblem[] {
  if (series === undefined) {
    return [];
  }
  const own = series.emits.find((channel) => matchesChannel(channels, channel));
  if (own !== undefined) {
    const told = `makes readings on ${own}, which ${channels} names too: name the channel that it is to look at, like import`;
    return [{ rule: name, problem: told }];
  }
  const isGlob = channels.includes('*');
  if (series.emits.length > 0 && isGlob) {
    const told = `makes readings on ${series.emits.join(', ')} of each channel that ${channels} names: of a meter that has two of them, what ran last would count. Name the channel, like import`;
    return [{ rule: name, problem: told }];
  }
  if (series.reads.length > 0 && isGlob) {
    const told = `reads ${series.reads.join(', ')}, whose changes must find the days of its own channel: name that, not ${channels}`;
    return [{ rule: name, problem: told }];
  }
  return [];
}

function pairProblems(earlier: FlowStep, step: FlowStep): FlowProblem[] {
  if (!meetOnMeters(earlier, step)) {
    return [];
  }
  const problems: FlowProblem[] = [];
  const both = step.rule.series?.emits.find((channel) => earlier.rule.series?.emits.includes(channel) === true);
  if (both !== undefined) {
    const told = `makes readings on ${both}, as ${earlier.rule.name} on ${earlier.channels} does: of a meter that has both channels, what ran last would count. Retire one, or have each make a channel of its own`;
    problems.push({ rule: step.rule.name, problem: told });
  }
  for (const [reader, maker] of [
    [step, earlier],
    [earlier, step],
  ] as const) {
    const read = reader.rule.series?.reads.find((channel) => maker.rule.series?.emits.includes(channel) === true);
    if (read !== undefined) {
      const told = `reads ${read}, which ${maker.rule.name} makes: rules read raw readings, so compute it from what ${maker.rule.name} reads`;
      problems.push({ rule: reader.rule.name, problem: told });
    }
  }
  return problems;
}

function meetOnMeters({ share: a = allMeters }: FlowStep, { share: b = allMeters }: FlowStep): boolean {
  return a.from < b.to && b.from < a.to;
}
