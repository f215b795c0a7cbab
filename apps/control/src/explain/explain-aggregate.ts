import type { MsSpan, Resolution } from '@meterflow/aggregates';
import { lineOf, type AggregateStore, type Segment } from '@meterflow/idempotent-writes';
import {
  formatDecimal,
  missingCode,
  qualityOf,
  ReadingCursor,
  utcText,
  type Layer,
  type Quality,
  type SeriesName,
} from '@meterflow/readings';
import { groupOfMeter, registerOfChannel } from '@meterflow/registry';
import { aggregateRows } from '../aggregate-rows.ts';
import { dayMs } from '../query-span.ts';
import { seriesDays, type SeriesDaysPorts } from '../series-days.ts';
import { groupParts, type GroupPart } from './group-parts.ts';
import { intervalStarts } from './interval-starts.ts';
import type { ExplainPorts } from './explain-reading.ts';

/** A reading of a window that is not as it came, or was not measured. */
export interface ChangedReading {
  readonly start: string;
  /** What counts; null where it is absent. */
  readonly value: string | null;
  readonly quality: Quality;
  readonly method?: string;
  readonly reason?: string;
  /** What came, where that is another value; null where nothing did. */
  readonly raw?: string | null;
}

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
  /** The window as queries answer it. */
  readonly aggregate: object;
  /** The starts that no summed reading has. */
  readonly missing: readonly string[];
  readonly changed: readonly ChangedReading[];
  /** Absent where the store does not keep where readings came from. */
  readonly sources?: readonly ExplainedSource[];
  /** Of a group: what counts in it directly. The lists above are empty then: ask for these parts. */
  readonly parts?: readonly GroupPart[];
  /** True where a list was cut at {@link listedMax}. */
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
}

/** The window that holds an instant, and what it was made of. Undefined where there is none. */
export async function explainAggregate(
  ports: ExplainAggregatePorts,
  place: WindowPlace,
): Promise<ExplainedAggregate | undefined> {
  const { atMs, resolution } = place;
  const rows = await aggregateRows(ports.aggregates, {
    ...place,
    fromMs: atMs - windowMsMax[resolution],
    toMs: atMs + 1,
    nowMs: ports.nowMs(),
  });
  const window = rows.findLast(({ startMs, lengthMs }) => startMs <= atMs && atMs < startMs + lengthMs);
  if (window === undefined) {
    return undefined;
  }
  const span = { fromMs: window.startMs, toMs: window.startMs + window.lengthMs };
  const group = groupOfMeter(place.meter);
  if (group !== undefined) {
    const { tenant } = place;
    const snapshot = await ports.groupsNow.snapshot(tenant);
    const parts = await groupParts(ports, snapshot, { tenant, group, resolution, ...span, limit: listedMax + 1 });
    const cut = parts.length > listedMax;
    return { aggregate: window.json, missing: [], changed: [], parts: parts.slice(0, listedMax), cut };
  }
  const { intervals, covered } = await seriesDays(ports, place.tenant, place);
  const parts = covered === undefined ? [span] : covered(span);
  // A register is made of the readings of its series.
  const channel = registerOfChannel(place.channel)?.channel ?? place.channel;
  const within = { ...place, channel, ...span, parts };
  const validated = await readingsWithin(ports, within, 'validated');
  const raw = await readingsWithin(ports, within, 'raw');
  const missing = missingStarts(validated, parts, intervals);
  const changed = changedReadings(validated, raw);
  const sources = await sourcesOf(ports, within, raw);
  return {
    aggregate: window.json,
    missing: missing.slice(0, listedMax).map(utcText),
    changed: changed.slice(0, listedMax),
    ...(sources === undefined ? {} : { sources: sources.slice(0, listedMax) }),
    cut: [missing, changed, sources ?? []].some(({ length }) => length > listedMax),
  };
}

/** Where the readings of a window lie. */
interface ReadingsPlace extends SeriesName, MsSpan {
  readonly tenant: string;
  readonly parts: readonly MsSpan[];
}

/** What is stored, and which of it counts for the window. */
interface ReadingsWithin {
  readonly segments: readonly Segment[];
  readonly parts: readonly MsSpan[];
}

async function readingsWithin(
  ports: ExplainPorts,
  { parts, tenant, meter, channel, fromMs, toMs }: ReadingsPlace,
  layer: Layer,
): Promise<ReadingsWithin> {
  return { parts, segments: await ports.readings(layer).read({ tenant, meter, channel, layer, fromMs, toMs }) };
}

function missingStarts(
  readings: ReadingsWithin,
  parts: readonly MsSpan[],
  intervals: Parameters<typeof intervalStarts>[2],
): number[] {
  const present = new Map<number, number>();
  const lengths = new Map<number, number>();
  each(readings, (cursor) => {
    if (cursor.qualityCode !== missingCode && cursor.lengthMs > 0) {
      present.set(cursor.startMs, cursor.lengthMs);
      lengths.set(cursor.lengthMs, (lengths.get(cursor.lengthMs) ?? 0) + 1);
    }
  });
  const [common] = [...lengths].sort(([a, count], [b, other]) => other - count || a - b);
  const registered =
    intervals.length > 0 ? intervals : common === undefined ? [] : [{ fromMs: -Infinity, intervalMs: common[0] }];
  return parts
    .flatMap(({ fromMs, toMs }) => intervalStarts(fromMs, toMs, registered))
    .filter((interval) => present.get(interval.startMs) !== interval.intervalMs)
    .map((interval) => interval.startMs);
}

function changedReadings(validated: ReadingsWithin, raw: ReadingsWithin): ChangedReading[] {
  const came = new Map<string, string | null>();
  each(raw, (cursor) => came.set(`${cursor.startMs} ${cursor.lengthMs}`, valueOf(cursor)));
  const changed: ChangedReading[] = [];
  each(validated, (cursor) => {
    const value = valueOf(cursor);
    const before = came.get(`${cursor.startMs} ${cursor.lengthMs}`) ?? null;
    const { method, reason, qualityCode } = cursor;
    if (value === before && qualityCode === 0 && reason === '') {
      return;
    }
    changed.push({
      start: utcText(cursor.startMs),
      value,
      quality: qualityOf(qualityCode),
      ...(method === '' ? {} : { method }),
      ...(reason === '' ? {} : { reason }),
      ...(value === before ? {} : { raw: before }),
    });
  });
  return changed;
}

function valueOf({ columns, qualityCode, integer }: ReadingCursor): string | null {
  return qualityCode === missingCode ? null : formatDecimal(integer, columns.decimals);
}

/** Readings that start within the window; a store reads whole days. */
function each({ segments, parts }: ReadingsWithin, visit: (cursor: ReadingCursor) => void): void {
  for (const { columns } of segments) {
    const cursor = new ReadingCursor(columns);
    while (cursor.next()) {
      const { startMs } = cursor;
      if (parts.some(({ fromMs, toMs }) => startMs >= fromMs && startMs < toMs)) {
        visit(cursor);
      }
    }
  }
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
  raw: ReadingsWithin,
): Promise<ExplainedSource[] | undefined> {
  const layer: Layer = 'raw';
  const origins = await ports.history(layer).origins({ tenant, meter, channel, layer, fromMs, toMs });
  if (origins === undefined) {
    return undefined;
  }
  const found = new Map<string, Brought>();
  each(raw, ({ startMs, lengthMs }) => {
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
