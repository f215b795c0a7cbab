import { monthOfDay, type Calendar } from '@meterflow/aggregates';
import type { Cause, SeriesName, Touched } from '@meterflow/readings';
import { calendarOfZone, type ZonesSnapshot } from './series-zones.ts';
import type { TouchedPart } from './touched-parts.ts';
import { WaitingParts } from './waiting-parts.ts';
import { WindowSet } from './window-set.ts';

/** One message to be made: the windows it will hold and the causes that these windows are all of. */
export interface MessagePlan {
  readonly causes: readonly Cause[];
  readonly windows: WindowSet;
}

/** Numbers the windows of a level: which one an instant lies in. */
export type WindowOf = (calendar: Calendar, instantMs: number) => number;
export const localDay: WindowOf = (calendar, instantMs) => calendar.dayOf(instantMs);
export const localMonth: WindowOf = (calendar, instantMs) => monthOfDay(calendar.dayOf(instantMs));

/**
 * Puts parts together in messages, each of `windowsMax` windows at the most (a part that alone has more gets a message of
 * its own). A window that several parts of a message touch is in it once: so a storm of notices about the same meters
 * comes to one computation. After each part come those that share a series with it, as far as they fit, then the next.
 */
export function messagePlans(
  parts: readonly TouchedPart[],
  zones: ZonesSnapshot,
  { windowOf, windowsMax }: { readonly windowOf: WindowOf; readonly windowsMax: number },
): readonly MessagePlan[] {
  const waiting = new WaitingParts(
    parts.map(({ touched, causes }) => ({ causes, windows: touchedWindows(touched, zones, windowOf) })),
  );
  const plans: MessagePlan[] = [];
  for (let first = waiting.first(); first !== undefined; first = waiting.first()) {
    const { windows } = first;
    const causes = [...first.causes];
    const fits = (part: MessagePlan): boolean => windows.count + windows.lacking(part.windows) <= windowsMax;
    for (let part = waiting.next(fits); part !== undefined; part = waiting.next(fits)) {
      causes.push(...part.causes);
      windows.addAll(part.windows);
    }
    plans.push({ causes, windows });
  }
  return plans;
}

function touchedWindows(touched: Touched, zones: ZonesSnapshot, windowOf: WindowOf): WindowSet {
  const windows = new WindowSet();
  touched.index.forEach((index, row) => {
    const series = touched.series[index] as SeriesName;
    const calendar = calendarOfZone(zones.of(series.meter, series.channel));
    const fromMs = touched.fromMs[row] as number;
    // An instant of a register reading touches the window that it lies in.
    const lastMs = Math.max(fromMs, (touched.toMs[row] as number) - 1);
    windows.add({ series, first: windowOf(calendar, fromMs), end: windowOf(calendar, lastMs) + 1 });
  });
  return windows;
}
