import {
  encodeSegment,
  knownColumns,
  lineOf,
  SegmentColumnsReader,
  SegmentMerger,
  type HistorySegment,
  type KnownBy,
  type Origin,
  type Segment,
} from '@meterflow/idempotent-writes';
import { ReadingCursor, versionAt } from '@meterflow/readings';

export interface AsOfRequest {
  /** All versions that are stored, in the order of storing: those that don't count any more, then those that do. */
  readonly versions: readonly HistorySegment[];
  readonly known: KnownBy;
  /** When declared versions of the raw readings were accepted. */
  readonly origins: readonly Origin[];
}

/** The latest of the versions that were known, day by day. */
export function asOf({ versions, known, origins }: AsOfRequest): Segment[] {
  const merger = new SegmentMerger();
  const reader = new SegmentColumnsReader();
  const declared = new DeclaredVersions(versions, origins);
  const days = new Map<number, Uint8Array[]>();
  for (const { day, columns, by } of versions) {
    const parts = knownColumns(columns, known, (reading, version) => declared.acceptedMs(reading, version, by));
    const blobs = parts.map((part) => encodeSegment(part, day));
    days.set(day, [...(days.get(day) ?? []), ...blobs]);
  }
  return [...days]
    .filter(([, blobs]) => blobs.length > 0)
    .sort(([a], [b]) => a - b)
    .flatMap(([day, blobs]) => reader.read(merger.latest(blobs, day), day).map((columns) => ({ day, columns })));
}

/** Of a reading's values under one declared version: who brought those that did not stand first, and who took the place of another. */
interface Turns {
  /** How many values each source brought that never stood, or took a place. */
  readonly others: Map<string, number>;
  readonly takers: string[];
  /** How many had to go so far. */
  turn: number;
}

type Origins = readonly Origin[];

/**
 * When readings with declared versions were accepted: with the first line that declares theirs. Where several values came
 * under one version, each with the lines of its own.
 */
class DeclaredVersions {
  readonly #origins: Origins;
  readonly #turns = new Map<string, Turns>();

  constructor(versions: readonly HistorySegment[], origins: Origins) {
    this.#origins = origins;
    for (const { columns, by } of versions) {
      const cursor = new ReadingCursor(columns);
      while (by !== undefined && cursor.next()) {
        this.#note(keyOf(cursor), by);
      }
    }
  }

  /** Asked of each in the order of storing. -Infinity where no line tells: of what rules made of nothing. */
  acceptedMs(reading: ReadingCursor, declared: number, by: HistorySegment['by']): number {
    const lines = this.#origins.filter(
      (origin) => origin.declared === declared && lineOf(origin, reading) !== undefined,
    );
    const turns = this.#turns.size === 0 ? undefined : this.#turns.get(keyOf(reading));
    const own = turns === undefined ? lines : ownLines(lines, turns, by);
    // What was computed is told with what caused that: another source than the reading's.
    return firstMs(own.length > 0 ? own : lines);
  }

  #note(key: string, { how, sourceId }: NonNullable<HistorySegment['by']>): void {
    const turns = this.#turns.get(key) ?? { others: new Map<string, number>(), takers: [], turn: 0 };
    this.#turns.set(key, turns);
    turns.others.set(sourceId, (turns.others.get(sourceId) ?? 0) + 1);
    if (how === 'displaced') {
      turns.takers.push(sourceId);
    }
  }
}

/** The lines of the value whose turn it is, or that never stood. */
function ownLines(lines: Origins, turns: Turns, by: HistorySegment['by']): Origins {
  if (by?.how === 'brought') {
    return lines.filter(({ sourceId }) => sourceId === by.sourceId);
  }
  const { others, takers, turn } = turns;
  turns.turn += by === undefined ? 0 : 1;
  if (turn > 0) {
    return lines.filter(({ sourceId }) => sourceId === takers[turn - 1]);
  }
  const bySource = Map.groupBy(lines, ({ sourceId }) => sourceId);
  return [...bySource].flatMap(([sourceId, own]) => (own.length > (others.get(sourceId) ?? 0) ? own : []));
}

function firstMs(lines: Origins): number {
  return lines.length === 0
    ? -Infinity
    : lines.reduce((first, { acceptedAtMs }) => Math.min(first, acceptedAtMs), Infinity);
}

/** Values take turns under a version as it is stored: computed readings of one declared version have several. */
function keyOf({ startMs, lengthMs, versionIndex, columns: { versions } }: ReadingCursor): string {
  const { declared, activation, ticket, computed } = versionAt(versions, versionIndex);
  return `${startMs} ${lengthMs} ${declared} ${activation} ${ticket} ${computed}`;
}
