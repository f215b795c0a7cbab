import { calendarOf, dayMs } from '@meterflow/aggregates';
import type { Layer, ReadingColumns, SeriesName } from '@meterflow/readings';
import type { StoredDay } from './apply-series-result.ts';
import { localDays, type LocalDays } from './local-days.ts';
import type { MadeSpan } from './made-readings.ts';
import type { RawChannel } from './series-windows.ts';

/** Local days of one series to be computed anew, ascending by their numbers. */
export interface DueDays {
  readonly series: SeriesName;
  readonly timeZone: string;
  readonly days: readonly number[];
}

/** What is stored of a series on one day of UTC, latest versions in the order of their starts. */
interface StoredSegment {
  readonly day: number;
  readonly columns: ReadingColumns;
}

/** Where stored readings are read. Rejects while the store is not to be had. */
export interface StoredReadings {
  read(
    span: SeriesName & {
      readonly tenant: string;
      readonly layer: Layer;
      readonly fromMs: number;
      readonly toMs: number;
    },
  ): Promise<readonly StoredSegment[]>;
  /** The start of the first reading that is stored of a series; undefined for none. */
  firstMs(series: SeriesName & { readonly tenant: string; readonly layer: Layer }): Promise<number | undefined>;
}

export interface InputsRequest {
  readonly tenant: string;
  readonly due: DueDays;
  /** Channels that the flow reads, and all that it, or an earlier one, emits on. */
  readonly reads: readonly string[];
  readonly emits: readonly string[];
  readonly backDays: number;
  readonly aheadDays: number;
  /** The length that is registered for readings that start then. */
  readonly intervalMsOf: (channel: string, atMs: number) => number | undefined;
  /** From when on readings of it are expected, as registered. */
  readonly sinceMs: number | undefined;
  /** Days that end here or before are closed. */
  readonly closedThroughMs: number;
  /** What earlier runs made of the series' days and may still be on its way into the store. */
  readonly made?: readonly MadeSpan[];
}

/** What is stored around the days of a series that are due. */
export interface SeriesInputs {
  /** From `backDays` before the first due day to `aheadDays` after the last. */
  readonly days: LocalDays;
  readonly own: RawChannel;
  readonly others: readonly RawChannel[];
  /**
   * Number of the day that the series begins with: of its first reading, or from when on readings are expected. -Infinity
   * where none of the due days can be before it and closed.
   */
  readonly beginsOn: number;
  /** Validated readings of one of the days, on its own channel and those emitted on. */
  storedOf(day: number): readonly StoredDay[];
  /** What earlier runs made of one of the days: spans within it, of readings that begin in these. */
  madeOf(day: number): readonly MadeSpan[];
}

export async function readInputs(
  readings: (layer: Layer) => StoredReadings,
  request: InputsRequest,
): Promise<SeriesInputs> {
  const { tenant, due, reads, emits, backDays, aheadDays, intervalMsOf } = request;
  const { meter, channel: ownChannel } = due.series;
  const first = (due.days[0] as number) - backDays;
  const end = (due.days.at(-1) as number) + aheadDays + 1;
  const days = localDays(calendarOf(due.timeZone), first, end - first);
  const within = (
    layer: Layer,
    channel: string,
    [from, to]: readonly [number, number],
  ): Promise<readonly StoredSegment[]> =>
    readings(layer).read({
      ...{ tenant, meter, channel, layer },
      fromMs: days.startMs[from] as number,
      toMs: days.startMs[to] as number,
    });
  const count = end - first;
  const raw = async (channel: string): Promise<RawChannel> => ({
    channel,
    intervalMsAt: (atMs) => intervalMsOf(channel, atMs),
    columns: (await within('raw', channel, [0, count])).map(({ columns }) => columns),
  });
  const [from, to] = [backDays, count - aheadDays];
  const [own, others, stored] = await Promise.all([
    raw(ownChannel),
    Promise.all(reads.map(raw)),
    Promise.all(
      [ownChannel, ...emits].map(async (channel) => ({
        series: { meter, channel },
        segments: await within('validated', channel, [from, to]),
      })),
    ),
  ]);
  const beginsOn = await firstDayOf(readings('raw'), { request, days, own });
  return {
    ...{ days, own, others, beginsOn },
    storedOf: (day) => {
      const [fromMs, toMs] = [days.startMs[day] as number, days.startMs[day + 1] as number];
      return stored.map(({ series, segments }) => ({ series, columns: touching(segments, fromMs, toMs) }));
    },
    madeOf: (day) => {
      const [fromMs, toMs] = [days.startMs[day] as number, days.startMs[day + 1] as number];
      return (request.made ?? [])
        .filter((span) => span.fromMs < toMs && fromMs < span.toMs)
        .map((span) => ({ ...span, fromMs: Math.max(fromMs, span.fromMs), toMs: Math.min(toMs, span.toMs) }));
    },
  };
}

/** The first reading is looked for where nothing that is read already tells that the series has begun by the first due day. */
async function firstDayOf(
  raw: StoredReadings,
  { request, days, own }: Pick<SeriesInputs, 'days' | 'own'> & { readonly request: InputsRequest },
): Promise<number> {
  const { tenant, due, sinceMs = Infinity, closedThroughMs } = request;
  const dueEndMs = days.startMs[(due.days[0] as number) - days.firstDay + 1] as number;
  const readMs = Math.min(...own.columns.map(({ spans }) => spans.startMs[0] ?? Infinity));
  if (dueEndMs > closedThroughMs || Math.min(sinceMs, readMs) < dueEndMs) {
    return -Infinity;
  }
  const storedMs = await raw.firstMs({ tenant, ...due.series, layer: 'raw' });
  const firstMs = Math.min(sinceMs, storedMs ?? Infinity);
  return firstMs === Infinity ? Infinity : calendarOf(due.timeZone).dayOf(firstMs);
}

/** The segments of the UTC days that a span touches. */
function touching(segments: readonly StoredSegment[], fromMs: number, toMs: number): ReadingColumns[] {
  return segments.filter(({ day }) => (day + 1) * dayMs > fromMs && day * dayMs < toMs).map(({ columns }) => columns);
}
