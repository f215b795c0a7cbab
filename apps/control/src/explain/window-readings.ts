import type { MsSpan } from '@meterflow/aggregates';
import type { HistorySegment, Segment } from '@meterflow/idempotent-writes';
import {
  formatDecimal,
  missingCode,
  qualityOf,
  ReadingCursor,
  utcText,
  versionAt,
  type Layer,
  type Quality,
  type SeriesName,
  type Version,
} from '@meterflow/readings';
import type { ExplainPorts } from './explain-reading.ts';
import { intervalStarts } from './interval-starts.ts';
import { compareVersion } from './readings-at.ts';

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
  /** Of one that was withdrawn as it came: what stood before. */
  readonly was?: string;
  /** The version that counts: as its provider declared it, else when it was accepted, and the activation that it went through. */
  readonly declared?: number;
  readonly acceptedAt?: string;
  readonly activation?: number;
}

/** Where the readings of a window lie. */
export interface ReadingsPlace extends SeriesName, MsSpan {
  readonly tenant: string;
  readonly parts: readonly MsSpan[];
}

/** What is stored, and which of it counts for the window. */
export interface WindowReadings {
  readonly segments: readonly Segment[];
  readonly parts: readonly MsSpan[];
}

export async function readingsWithin(
  ports: ExplainPorts,
  { parts, tenant, meter, channel, fromMs, toMs }: ReadingsPlace,
  layer: Layer,
): Promise<WindowReadings> {
  return { parts, segments: await ports.readings(layer).read({ tenant, meter, channel, layer, fromMs, toMs }) };
}

/** Readings that start within the window; a store reads whole days. */
export function eachReading({ segments, parts }: WindowReadings, visit: (cursor: ReadingCursor) => void): void {
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

/** The starts that no summed reading has. */
export function missingStarts(
  readings: WindowReadings,
  parts: readonly MsSpan[],
  intervals: Parameters<typeof intervalStarts>[2],
): number[] {
  const present = new Map<number, number>();
  const lengths = new Map<number, number>();
  eachReading(readings, (cursor) => {
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

/** Those that are not as they came, were not measured, or were withdrawn. */
export async function changedReadings(
  ports: ExplainPorts,
  place: ReadingsPlace,
  { raw, validated }: Readonly<Record<Layer, WindowReadings>>,
): Promise<ChangedReading[]> {
  const came = new Map<string, string | null>();
  eachReading(raw, (cursor) => came.set(identityOf(cursor), valueOf(cursor)));
  const isWithdrawn = [...came.values()].includes(null);
  const earlier = isWithdrawn ? await stoodBefore(ports, place) : new Map<string, Stood>();
  const changed: ChangedReading[] = [];
  eachReading(validated, (cursor) => {
    const value = valueOf(cursor);
    const identity = identityOf(cursor);
    const before = came.get(identity) ?? null;
    const { method, reason, qualityCode } = cursor;
    if (value === before && qualityCode === 0 && reason === '') {
      return;
    }
    const was = came.get(identity) === null ? earlier.get(identity)?.value : undefined;
    changed.push({
      start: utcText(cursor.startMs),
      value,
      quality: qualityOf(qualityCode),
      ...(method === '' ? {} : { method }),
      ...(reason === '' ? {} : { reason }),
      ...(value === before ? {} : { raw: before }),
      ...(was === undefined ? {} : { was }),
      ...versionText(versionAt(cursor.columns.versions, cursor.versionIndex)),
    });
  });
  return changed;
}

interface Stood {
  readonly value: string;
  readonly version: Version;
}

/** The newest value of each reading that came and counts no more; of several under one version the last one that stood. */
async function stoodBefore(ports: ExplainPorts, place: ReadingsPlace): Promise<ReadonlyMap<string, Stood>> {
  const layer: Layer = 'raw';
  const { tenant, meter, channel, fromMs, toMs, parts } = place;
  const history = await ports.history(layer).history({ tenant, meter, channel, layer, fromMs, toMs });
  const segments = history.toSorted((a, b) => Number(everStood(a)) - Number(everStood(b)));
  const stood = new Map<string, Stood>();
  eachReading({ segments, parts }, (cursor) => {
    const value = valueOf(cursor);
    const version = versionAt(cursor.columns.versions, cursor.versionIndex);
    const known = stood.get(identityOf(cursor));
    if (value !== null && (known === undefined || compareVersion(known.version, version) <= 0)) {
      stood.set(identityOf(cursor), { value, version });
    }
  });
  return stood;
}

function everStood({ by }: HistorySegment): boolean {
  return by?.how !== 'brought';
}

function versionText({ declared, acceptedAtMs, activation }: Version): Partial<ChangedReading> {
  return {
    ...(declared === 0 ? {} : { declared }),
    ...(acceptedAtMs === 0 ? {} : { acceptedAt: utcText(acceptedAtMs) }),
    ...(activation === 0 ? {} : { activation }),
  };
}

function identityOf({ startMs, lengthMs }: ReadingCursor): string {
  return `${startMs} ${lengthMs}`;
}

function valueOf({ columns, qualityCode, integer }: ReadingCursor): string | null {
  return qualityCode === missingCode ? null : formatDecimal(integer, columns.decimals);
}
