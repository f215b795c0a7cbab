import { formatDecimal, qualityOf, ReadingCursor, runAt, type ReadingBatch } from '@meterflow/readings';
import type { Reject } from '@meterflow/receipts';
import { atOneGo } from '../steps.ts';
import { createReader, type Format, type ReaderCounts, type ReaderOptions } from '../reader.ts';

/** A reading as a row, for tests to compare. */
export interface ReadRow {
  readonly line: number;
  readonly meter: string;
  readonly channel: string;
  readonly startMs: number;
  readonly lengthMs: number;
  readonly value: string;
  readonly unit: string;
  readonly quality: string;
  readonly code: string;
  readonly reason: string;
  /** Declared version, or 0. */
  readonly declared: number;
}

export interface ReadSource {
  readonly rows: readonly ReadRow[];
  readonly batches: readonly ReadingBatch[];
  readonly rejects: readonly Reject[];
  readonly counts: ReaderCounts;
}

/** Accepted at the end of 2026. */
export const testAcceptedAtMs = Date.UTC(2026, 11, 31);

/** Reads a source that comes in the given pieces. */
export function readWhole(
  format: Format,
  pieces: readonly Uint8Array[],
  options: Pick<ReaderOptions, 'mapping'> & Partial<ReaderOptions>,
): ReadSource {
  const batches: ReadingBatch[] = [];
  const rejects: Reject[] = [];
  const reader = createReader(format, {
    header: { tenant: 'acme', layer: 'raw', sourceId: 's-1', acceptedAtMs: testAcceptedAtMs, activation: 3 },
    onBatch: (batch) => batches.push(batch),
    onRejects: (some) => rejects.push(...some),
    ...options,
  });
  for (const piece of pieces) {
    atOneGo(reader.push(piece));
  }
  atOneGo(reader.end());
  return { rows: batches.flatMap(rowsOf), batches, rejects, counts: reader.counts };
}

function rowsOf(batch: ReadingBatch): ReadRow[] {
  const rows: ReadRow[] = [];
  let line = batch.firstLine;
  for (const cursor = new ReadingCursor(batch.columns); cursor.next();) {
    line += runAt(batch.lineDeltas, cursor.index);
    rows.push({
      line,
      ...batch.series[cursor.series]!,
      startMs: cursor.startMs,
      lengthMs: cursor.lengthMs,
      value: formatDecimal(cursor.integer, batch.columns.decimals),
      unit: cursor.unit,
      quality: qualityOf(cursor.qualityCode),
      code: cursor.code,
      reason: cursor.reason,
      declared: batch.columns.versions.declared[cursor.versionIndex]!,
    });
  }
  return rows;
}
