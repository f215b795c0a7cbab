import type { SeriesName } from '@meterflow/readings';
import type { Flow, FlowStep, SeriesNeeds } from './flow.ts';
import { hasMeter } from './meter-share.ts';
import { takesSeries } from './takes-series.ts';

/** The steps of a flow that a series goes through, in their order. */
export function stepsOf(flow: Flow, series: SeriesName): readonly FlowStep[] {
  return flow.steps.filter((step) => takesSeries(step, series));
}

/** The steps that look at whole days: a series that has any goes through all its steps in its series flow. */
function seriesNeedsOf(flow: Flow, series: SeriesName): readonly SeriesNeeds[] {
  return stepsOf(flow, series).flatMap(({ rule }) => rule.series ?? []);
}

/** What the series flow of a series looks at, all its rules together; undefined where its flow is a reading flow. */
export function channelNeeds(flow: Flow, series: SeriesName): SeriesNeeds | undefined {
  const all = seriesNeedsOf(flow, series);
  if (all.length === 0) {
    return undefined;
  }
  return {
    reads: [...new Set(all.flatMap(({ reads }) => reads))],
    emits: [...new Set(all.flatMap(({ emits }) => emits))],
    lookBackDays: Math.max(...all.map(({ lookBackDays }) => lookBackDays)),
    lookAheadDays: Math.max(...all.map(({ lookAheadDays }) => lookAheadDays)),
    tags: [...new Set(all.flatMap(({ tags }) => tags))],
  };
}

/** Whether a rule of the flow makes readings on this channel of the meter. */
export function isEmittedOn(flow: Flow, { meter, channel }: SeriesName): boolean {
  return flow.steps.some(
    ({ rule, share }) =>
      rule.series?.emits.includes(channel) === true && (share === undefined || hasMeter(share, meter)),
  );
}

/** Channels that the rules of a flow emit on, each once. */
export function emitsOf(flow: Flow): readonly string[] {
  return [...new Set(flow.steps.flatMap(({ rule }) => rule.series?.emits ?? []))];
}
