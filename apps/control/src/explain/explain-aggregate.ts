import { hourMs, monthOfDay, type Calendar, type MsSpan, type Resolution } from '@meterflow/aggregates';
import { lineOf, type AggregateStore } from '@meterflow/idempotent-writes';
import { missingCode, utcText, type Layer, type SeriesName } from '@meterflow/readings';
import { groupOfMeter, registerOfChannel } from '@meterflow/registry';
import { aggregateRows } from '../aggregate-rows.ts';
import { dayMs } from '../query-span.ts';
import { seriesDays, type SeriesDays, type SeriesDaysPorts } from '../series-days.ts';
import { groupParts, type GroupPart } from './group-parts.ts';
import type { ExplainPorts } from './explain-reading.ts';
import {
  changedReadings,
  eachReading,
  missingStarts,
  readingsWithin,
  type ChangedReading,
  type ReadingsPlace,
  type WindowReadings,
} from './window-readings.ts';

export interface ExplainedSource {
  readonly source: string;
  readonly label: string;
  readonly acceptedAt: string;
  /** Readings of the window that it brought. */
  readonly readings: number;
  readonly firstLine: number;
  readonly lastLine: number;
}

export interface ExplainedAggregate {
  readonly start: string;
  readonly end: string;
  /** The window as queries answer it; null where nothing counts in it: all that came was withdrawn. */
  readonly aggregate: object | null;
  /** The starts that no summed reading has. */
  readonly missing: readonly string[];
  readonly changed: readonly ChangedReading[];
  /** Absent where the store does not keep where readings came from. */
  readonly sources?: readonly ExplainedSource[];
  /** Of a group: what counts in it directly. The lists above are empty then: ask for these parts. */
  readonly parts?: readonly GroupPart[];
  /** Of a group of which there may be more parts: asked for with `after`, it goes on there. */
  readonly next?: string;
  /** True where there is more: a list was cut at {@link listedMax}, or there is a `next`. */
  readonly cut: boolean;
}

/** Of each list of an explanation. */
const listedMax = 1_000;
/** A window begins no longer before one of its instants. */
const windowMsMax: Readonly<Record<Resolution, number>> = { hour: 2 * dayMs, day: 3 * dayMs, month: 35 * dayMs };

export interface ExplainAggregatePorts extends ExplainPorts, SeriesDaysPorts {
  readonly aggregates: Pick<AggregateStore, 'read'>;
  readonly nowMs: () => number;
}

export interface WindowPlace extends SeriesName {
  readonly tenant: string;
  readonly resolution: Resolution;
  readonly atMs: number;
  /** Of a group: the `next` of the answer before. */
  readonly after?: string | undefined;
}

/** The window that holds an instant, and what it was made of. Undefined where nothing ever came, or is not summed (yet). */
export async function explainAggregate(
  ports: ExplainAggregatePorts,
  place: WindowPlace,
): Promise<ExplainedAggregate | undefined> {
  const { atMs, resolution, tenant } = place;
  const rows = await aggregateRows(ports.aggregates, {
    ...place,
    fromMs: atMs - windowMsMax[resolution],
    toMs: atMs + 1,
    nowMs: ports.nowMs(),
  });
  const window = rows.findLast(({ startMs, lengthMs }) => startMs <= atMs && atMs < startMs + lengthMs);
  const days = await seriesDays(ports, tenant, place);
  const span =
    window === undefined
      ? windowSpan(days.calendar, resolution, atMs)
      : { fromMs: window.startMs, toMs: window.startMs + window.lengthMs };
  const told = { start: utcText(span.fromMs), end: utcText(span.toMs), aggregate: window?.json ?? null };
  const group = groupOfMeter(place.meter);
  if (group !== undefined) {
    return window && { ...told, ...(await explainGroup(ports, { ...place, ...span, group })) };
  }
  const made = await explainSeries(ports, { ...place, ...span, days });
  return window === undefined && !made.isWithdrawn ? undefined : { ...told, ...made.lists };
}

type Lists = Omit<ExplainedAggregate, 'start' | 'end' | 'aggregate'>;

async function explainSeries(
  ports: ExplainAggregatePorts,
  { days: { intervals, covered }, ...place }: WindowPlace & MsSpan & { readonly days: SeriesDays },
): Promise<{ readonly isWithdrawn: boolean; readonly lists: Lists }> {
  const { fromMs, toMs } = place;
  const parts = covered === undefined ? [{ fromMs, toMs }] : covered({ fromMs, toMs });
  // A register is made of the readings of its series.
  const channel = registerOfChannel(place.channel)?.channel ?? place.channel;
  const within = { ...place, channel, parts };
  const validated = await readingsWithin(ports, within, 'validated');
  const raw = await readingsWithin(ports, within, 'raw');
  const missing = missingStarts(validated, parts, intervals);
  const changed = await changedReadings(ports, within, { validated, raw });
  const sources = await sourcesOf(ports, within, raw);
  return {
    isWithdrawn: isWithdrawn(validated) ?? isWithdrawn(raw) ?? false,
    lists: {
      missing: missing.slice(0, listedMax).map(utcText),
      changed: changed.slice(0, listedMax),
      ...(sources === undefined ? {} : { sources: sources.slice(0, listedMax) }),
      cut: [missing, changed, sources ?? []].some(({ length }) => length > listedMax),
    },
  };
}

type GroupPlace = WindowPlace & MsSpan & { readonly group: string };

async function explainGroup(
  ports: ExplainAggregatePorts,
  { tenant, group, resolution, fromMs, toMs, after }: GroupPlace,
): Promise<Lists> {
  const snapshot = await ports.groupsNow.snapshot(tenant);
  const { parts, next } = await groupParts(ports, snapshot, { tenant, group, resolution, fromMs, toMs, after });
  const more = next === undefined ? {} : { next };
  return { missing: [], changed: [], parts, ...more, cut: next !== undefined };
}

/** Where a window would be of which nothing is stored. */
function windowSpan(calendar: Calendar, resolution: Resolution, atMs: number): MsSpan {
  const day = calendar.dayOf(atMs);
  if (resolution === 'month') {
    const month = monthOfDay(day);
    return { fromMs: calendar.monthStartMs(month), toMs: calendar.monthStartMs(month + 1) };
  }
  const [dayStartMs, dayEndMs] = [calendar.dayStartMs(day), calendar.dayStartMs(day + 1)];
  if (resolution === 'day') {
    return { fromMs: dayStartMs, toMs: dayEndMs };
  }
  const fromMs = atMs - ((atMs - dayStartMs) % hourMs);
  return { fromMs, toMs: Math.min(fromMs + hourMs, dayEndMs) };
}

/** Whether all that came is absent; undefined where nothing came. */
function isWithdrawn(readings: WindowReadings): boolean | undefined {
  let absent: boolean | undefined;
  eachReading(readings, ({ qualityCode }) => {
    absent = (absent ?? true) && qualityCode === missingCode;
  });
  return absent;
}

interface Brought {
  acceptedAtMs: number;
  readings: number;
  firstLine: number;
  lastLine: number;
}

async function sourcesOf(
  ports: ExplainPorts,
  { tenant, meter, channel, fromMs, toMs }: ReadingsPlace,
  raw: WindowReadings,
): Promise<ExplainedSource[] | undefined> {
  const layer: Layer = 'raw';
  const origins = await ports.history(layer).origins({ tenant, meter, channel, layer, fromMs, toMs });
  if (origins === undefined) {
    return undefined;
  }
  const found = new Map<string, Brought>();
  eachReading(raw, ({ startMs, lengthMs }) => {
    for (const origin of origins) {
      const line = lineOf(origin, { startMs, lengthMs });
      if (line !== undefined) {
        const { acceptedAtMs, sourceId } = origin;
        const known = found.get(sourceId) ?? { acceptedAtMs, readings: 0, firstLine: line, lastLine: line };
        known.readings += 1;
        known.firstLine = Math.min(known.firstLine, line);
        known.lastLine = Math.max(known.lastLine, line);
        found.set(sourceId, known);
      }
    }
  });
  const listed = [...found].sort(([, a], [, b]) => a.acceptedAtMs - b.acceptedAtMs).slice(0, listedMax + 1);
  return Promise.all(
    listed.map(async ([source, { acceptedAtMs, ...brought }]) => {
      const receipt = await ports.sources.receipt(tenant, source);
      return { source, label: receipt?.label ?? '', acceptedAt: utcText(acceptedAtMs), ...brought };
    }),
  );
}
