import { calendarOf } from '@meterflow/aggregates';
import type { DaySpan } from '@meterflow/contracts';
import type { SeriesName, StoredNotice } from '@meterflow/readings';
import type { SeriesTold, ToldSince } from '@meterflow/registry';
import { channelNeeds, type Activation } from '@meterflow/rules';

/** Notices of one tenant, and what is known of its series and days. */
export interface ToldRequest {
  readonly tenant: string;
  readonly notices: readonly StoredNotice[];
  readonly activations: readonly Activation[];
  readonly zoneOf: (series: SeriesName) => string;
  readonly closedThroughMs: ReadonlyMap<string, number>;
  readonly toldSince: Pick<ToldSince, 'of'>;
}

/** A series with the closed days that notices touch. */
interface ClosedSpans {
  readonly series: SeriesName;
  readonly timeZone: string;
  readonly closedThroughMs: number;
  readonly spans: readonly { readonly fromMs: number; readonly toMs: number }[];
}

/** Entries that are read at the same time. */
const atOnceMax = 16;

/**
 * Closed days that nobody told of, because readings that begin earlier came after days were closed: from where the series
 * begins by now up to where it was told from so far. A rule may fill such a day, though nothing of it ever came.
 */
export async function untoldDays(request: ToldRequest): Promise<readonly DaySpan[]> {
  return eachTold(request, ({ series, spans, timeZone }, sinceMs) => {
    const fromMs = dayStartMs(timeZone, Math.min(...spans.map((span) => span.fromMs)));
    return fromMs < sinceMs ? [{ series, fromMs, toMs: sinceMs }] : [];
  });
}

/**
 * Since when series are told with these notices on `days.due`: where what they tell goes on to what was told before, and no
 * earlier than the series begins, by `beginsMs`: days before it are not run, and are to be told when it begins earlier.
 */
export async function toldByNotices(
  request: ToldRequest,
  beginsMs: (series: SeriesName) => Promise<number>,
): Promise<readonly SeriesTold[]> {
  const told = await eachTold(request, ({ series, spans, timeZone }, toldMs) => {
    const latestFirst = spans.toSorted((a, b) => b.toMs - a.toMs);
    const sinceMs = latestFirst.reduce((ms, { fromMs, toMs }) => (toMs >= ms ? Math.min(ms, fromMs) : ms), toldMs);
    return sinceMs < toldMs ? [{ told: { tenant: request.tenant, series, timeZone, sinceMs }, toldMs }] : [];
  });
  const lowered: SeriesTold[] = [];
  for (const { told: each, toldMs } of told) {
    const beganMs = await beginsMs(each.series);
    const sinceMs = Math.max(each.sinceMs, beganMs === Infinity ? Infinity : dayStartMs(each.timeZone, beganMs));
    if (sinceMs < toldMs) {
      lowered.push({ ...each, sinceMs });
    }
  }
  return lowered;
}

function dayStartMs(timeZone: string, atMs: number): number {
  const calendar = calendarOf(timeZone);
  return calendar.dayStartMs(calendar.dayOf(atMs));
}

/** Asks of every series with a series flow and a touched day that is closed. */
async function eachTold<Found>(
  request: ToldRequest,
  found: (closed: ClosedSpans, sinceMs: number) => readonly Found[],
): Promise<readonly Found[]> {
  const { tenant, toldSince } = request;
  const all = closedSpans(request);
  const results: Found[] = [];
  for (let from = 0; from < all.length; from += atOnceMax) {
    const together = all.slice(from, from + atOnceMax);
    const told = await Promise.all(together.map(({ series, timeZone }) => toldSince.of({ tenant, series, timeZone })));
    together.forEach((closed, index) => {
      results.push(...found(closed, told[index] ?? closed.closedThroughMs));
    });
  }
  return results;
}

function closedSpans({ notices, activations, zoneOf, closedThroughMs }: ToldRequest): readonly ClosedSpans[] {
  const known = new Map<string, Omit<ClosedSpans, 'spans'> & { spans: { fromMs: number; toMs: number }[] }>();
  for (const { touched } of notices) {
    touched.index.forEach((index, row) => {
      const series = touched.series[index] as SeriesName;
      const timeZone = zoneOf(series);
      const throughMs = closedThroughMs.get(timeZone) ?? -Infinity;
      const [fromMs, toMs] = [touched.fromMs[row] as number, touched.toMs[row] as number];
      const isLooked = activations.some(({ flow }) => channelNeeds(flow, series) !== undefined);
      if (isLooked && fromMs < throughMs) {
        const path = `${series.meter}\n${series.channel}`;
        const closed = known.get(path) ?? { series, timeZone, closedThroughMs: throughMs, spans: [] };
        closed.spans.push({ fromMs, toMs });
        known.set(path, closed);
      }
    });
  }
  return [...known].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, closed]) => closed);
}
