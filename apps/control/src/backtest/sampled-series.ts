import { setImmediate } from 'node:timers/promises';
import type { SeriesName } from '@meterflow/readings';
import { meterPoint } from '@meterflow/rules';

/** Which meters are tried: a share of them, the very ones that an activation for this share takes, or so many. */
export interface MeterSample {
  readonly share?: number;
  readonly meters?: number;
}

export interface SampledSeries {
  readonly series: readonly SeriesName[];
  readonly meters: number;
  /** Meters of the tenant with such a channel, sampled or not. */
  readonly metersStored: number;
}

/** So many meters at most: those that lie first. */
export const sampleMetersMax = 100_000;
const yieldEvery = 1_000;

/**
 * Series whose meters are in the sample, in the order in which meters lie between 0 and 1: always the same, and whatever
 * ends a run early, what it saw is a sample too. `stored` gives the series of a meter together; `wanted` says which channels count.
 */
export async function sampledSeries(
  stored: Iterable<SeriesName> | AsyncIterable<SeriesName>,
  { share = 1, meters: count = sampleMetersMax }: MeterSample,
  wanted: (series: SeriesName) => boolean,
): Promise<SampledSeries> {
  const most = Math.min(count, sampleMetersMax);
  let kept = new Map<string, { readonly point: number; readonly series: SeriesName[] }>();
  let [metersStored, last] = [0, ''];
  let seen = 0;
  for await (const { meter, channel } of stored) {
    seen += 1;
    if (seen % yieldEvery === 0) {
      await setImmediate();
    }
    if (!wanted({ meter, channel })) {
      continue;
    }
    // Those of a meter come one after the other: nothing needs to be remembered of all others.
    metersStored += meter === last ? 0 : 1;
    last = meter;
    const point = meterPoint(meter);
    if (point < share) {
      const of = kept.get(meter) ?? { point, series: [] };
      of.series.push({ meter, channel });
      kept.set(meter, of);
      kept = kept.size > 2 * most + yieldEvery ? first(kept, most) : kept;
    }
  }
  const chosen = first(kept, most);
  return { series: [...chosen.values()].flatMap(({ series }) => series), meters: chosen.size, metersStored };
}

function first<Value extends { readonly point: number }>(kept: Map<string, Value>, most: number): Map<string, Value> {
  return new Map([...kept].sort(([, a], [, b]) => a.point - b.point).slice(0, most));
}
