import type { HistorySegment } from '@meterflow/idempotent-writes';
import {
  formatDecimal,
  missingCode,
  qualityOf,
  ReadingCursor,
  versionAt,
  type Quality,
  type ReadingColumns,
  type SeriesName,
  type Version,
} from '@meterflow/readings';

export interface ReadingPlace extends SeriesName {
  readonly tenant: string;
  readonly startMs: number;
  readonly lengthMs: number;
}

/** A reading as an explanation shows it. */
export interface ShownReading {
  readonly value: string | null;
  readonly unit: string;
  readonly quality: Quality;
  readonly method?: string;
  readonly reason?: string;
}

export interface FoundReading {
  readonly version: Version;
  readonly shown: ShownReading;
  /** See HistorySegment. */
  readonly by?: HistorySegment['by'];
}

export function compareVersion(a: Version, b: Version): number {
  return (
    a.declared - b.declared || a.acceptedAtMs - b.acceptedAtMs || a.activation - b.activation || a.ticket - b.ticket
  );
}

/** The same of the history, in the order of storing. */
export function historyAt(all: readonly HistorySegment[], place: ReadingPlace): FoundReading[] {
  return all.flatMap(({ columns, by }) => readingsAt([columns], place).map((found) => ({ ...found, by })));
}

/** What stands at a place. */
export function readingsAt(all: readonly ReadingColumns[], { startMs, lengthMs }: ReadingPlace): FoundReading[] {
  const found: FoundReading[] = [];
  for (const columns of all) {
    const cursor = new ReadingCursor(columns);
    while (cursor.next()) {
      if (cursor.startMs === startMs && cursor.lengthMs === lengthMs) {
        const { qualityCode, method, reason, unit } = cursor;
        found.push({
          version: versionAt(columns.versions, cursor.versionIndex),
          shown: {
            value: qualityCode === missingCode ? null : formatDecimal(cursor.integer, columns.decimals),
            unit,
            quality: qualityOf(qualityCode),
            ...(method === '' ? {} : { method }),
            ...(reason === '' ? {} : { reason }),
          },
        });
      }
    }
  }
  return found;
}
