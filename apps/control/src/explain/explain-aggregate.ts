import type { Resolution } from '@meterflow/aggregates';
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
import type { SeriesRegistry } from '@meterflow/registry';
import { aggregateRows, type WindowRow } from '../aggregate-rows.ts';
import { dayMs } from '../query-span.ts';
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
  /** True where a list was cut at {@link listedMax}. */
  readonly cut: boolean;
}

/** Of each list of an explanation. */
const listedMax = 1_000;
/** A window begins no longer before one of its instants. */
const windowMsMax: Readonly<Record<Resolution, number>> = { hour: 2 * dayMs, day: 3 * dayMs, month: 35 * dayMs };

export interface ExplainAggregatePorts extends ExplainPorts {
  readonly aggregates: Pick<AggregateStore, 'read'>;
  readonly series: Pick<SeriesRegistry, 'current'>;
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
  const within = { ...place, fromMs: window.startMs, toMs: window.startMs + window.lengthMs };
  const validated = await ports.readings('validated').read({ ...within, layer: 'validated' });
  const raw = await ports.readings('raw').read({ ...within, layer: 'raw' });
  const { intervals } = await ports.series.current(place.tenant, place);
  const missing = missingStarts(validated, window, intervals);
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

function missingStarts(
  segments: readonly Segment[],
  { startMs, lengthMs }: WindowRow,
  intervals: Parameters<typeof intervalStarts>[2],
): number[] {
  const present = new Map<number, number>();
  const lengths = new Map<number, number>();
  each(segments, (cursor) => {
    if (cursor.qualityCode !== missingCode && cursor.lengthMs > 0) {
      present.set(cursor.startMs, cursor.lengthMs);
      lengths.set(cursor.lengthMs, (lengths.get(cursor.lengthMs) ?? 0) + 1);
    }
  });
  const [common] = [...lengths].sort(([a, count], [b, other]) => other - count || a - b);
  const registered =
    intervals.length > 0 ? intervals : common === undefined ? [] : [{ fromMs: -Infinity, intervalMs: common[0] }];
  return intervalStarts(startMs, startMs + lengthMs, registered)
    .filter((interval) => present.get(interval.startMs) !== interval.intervalMs)
    .map((interval) => interval.startMs);
}

function changedReadings(validated: readonly Segment[], raw: readonly Segment[]): ChangedReading[] {
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

function each(segments: readonly Segment[], visit: (cursor: ReadingCursor) => void): void {
  for (const { columns } of segments) {
    const cursor = new ReadingCursor(columns);
    while (cursor.next()) {
      visit(cursor);
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
  within: SeriesName & { readonly tenant: string; readonly fromMs: number; readonly toMs: number },
  raw: readonly Segment[],
): Promise<ExplainedSource[] | undefined> {
  const layer: Layer = 'raw';
  const origins = await ports.history(layer).origins({ ...within, layer });
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
      const receipt = await ports.sources.receipt(within.tenant, source);
      return { source, label: receipt?.label ?? '', acceptedAt: utcText(acceptedAtMs), ...brought };
    }),
  );
}
