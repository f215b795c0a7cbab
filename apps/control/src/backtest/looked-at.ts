import type { SeriesName } from '@meterflow/readings';
import { channelNeeds, type Activation } from '@meterflow/rules';

/** The series, and what the flows read and emit beside each. */
export function lookedAt(all: readonly SeriesName[], activations: readonly Activation[]): readonly SeriesName[] {
  return all.flatMap((series) => {
    const needs = activations.flatMap(({ flow }) => channelNeeds(flow, series) ?? []);
    const channels = new Set([series.channel, ...needs.flatMap(({ reads, emits }) => [...reads, ...emits])]);
    return [...channels].map((channel) => ({ meter: series.meter, channel }));
  });
}
