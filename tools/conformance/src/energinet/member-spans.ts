import { intervalMsAt, matches, tagsAt, type GroupFilter, type Tags } from '@meterflow/registry';
import { channel, type MeteringPoint } from './metering-points.ts';

/** A span in which nothing that is registered of a metering point changes. */
export interface RegisteredSpan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly intervalMs: number | undefined;
  readonly tags: Tags;
}

/** What is registered of a metering point within [fromMs, toMs), from change to change; nothing while it is closed down. */
export function registeredSpans(
  { settings }: MeteringPoint,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): readonly RegisteredSpan[] {
  const changes = [...settings.tagPeriods, ...settings.intervals].map((each) => each.fromMs);
  const instants = [
    ...new Set([fromMs, ...changes.filter((instantMs) => instantMs > fromMs && instantMs < toMs), toMs]),
  ];
  instants.sort((a, b) => a - b);
  return instants.slice(1).map((endMs, index) => {
    const startMs = instants[index] as number;
    const tags = tagsAt(settings, startMs);
    return { fromMs: startMs, toMs: endMs, intervalMs: intervalMsAt(settings, startMs), tags };
  });
}

/** The spans in which a metering point belongs to the group of a filter. */
export function memberSpans(
  filter: GroupFilter,
  { id }: MeteringPoint,
  spans: readonly RegisteredSpan[],
): readonly RegisteredSpan[] {
  return spans.filter(({ tags }) => matches(filter, { meter: id, channel }, tags));
}
