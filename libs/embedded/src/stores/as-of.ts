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
import { ReadingCursor } from '@meterflow/readings';

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

/** Of a reading's values under one declared version: who brought those that never stood, and who took the place of another. */
interface Turns {
  readonly lost: Set<string>;
  readonly takers: string[];
  /** How many had to go so far. */
  turn: number;
}

/**
 * When readings with declared versions were accepted: with the first line that declares theirs. Where several values came
 * under one version, each with the lines of its own.
 */
class DeclaredVersions {
  readonly #origins: readonly Origin[];
  readonly #turns = new Map<string, Turns>();

  constructor(versions: readonly HistorySegment[], origins: readonly Origin[]) {
    this.#origins = origins;
    for (const { columns, by } of versions) {
      const cursor = new ReadingCursor(columns);
      while (by !== undefined && cursor.next()) {
        this.#note(keyOf(cursor, columns.versions.declared[cursor.versionIndex] as number), by);
      }
    }
  }

  /** Asked of each in the order of storing. */
  acceptedMs(reading: ReadingCursor, declared: number, by: HistorySegment['by']): number {
    const turns = this.#turns.size === 0 ? undefined : this.#turns.get(keyOf(reading, declared));
    if (turns === undefined) {
      return this.#firstMs(reading, declared, () => true);
    }
    if (by?.how === 'brought') {
      return this.#firstMs(reading, declared, (sourceId) => sourceId === by.sourceId);
    }
    const { lost, takers, turn } = turns;
    turns.turn += by === undefined ? 0 : 1;
    return this.#firstMs(reading, declared, (sourceId) =>
      turn === 0 ? !lost.has(sourceId) && !takers.includes(sourceId) : sourceId === takers[turn - 1],
    );
  }

  #note(key: string, by: NonNullable<HistorySegment['by']>): void {
    const turns = this.#turns.get(key) ?? { lost: new Set(), takers: [], turn: 0 };
    this.#turns.set(key, turns);
    if (by.how === 'brought') {
      turns.lost.add(by.sourceId);
    } else {
      turns.takers.push(by.sourceId);
    }
  }

  /** -Infinity where none of the lines tells. */
  #firstMs(reading: ReadingCursor, declared: number, isOf: (sourceId: string) => boolean): number {
    let firstMs = Infinity;
    for (const origin of this.#origins) {
      const isEarlier = origin.declared === declared && origin.acceptedAtMs < firstMs;
      if (isEarlier && isOf(origin.sourceId) && lineOf(origin, reading) !== undefined) {
        firstMs = origin.acceptedAtMs;
      }
    }
    return firstMs === Infinity ? -Infinity : firstMs;
  }
}

function keyOf({ startMs, lengthMs }: ReadingCursor, declared: number): string {
  return `${startMs} ${lengthMs} ${declared}`;
}
