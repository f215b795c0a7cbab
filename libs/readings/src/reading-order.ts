import type { ReadingColumns } from './columns.ts';
import { compareDecimals } from './decimal.ts';
import { compareVersions } from './version.ts';

/** One reading of some columns, with its run columns already looked up. Cursors keep one and move it. */
export interface ReadingPosition {
  readonly columns: ReadingColumns;
  readonly index: number;
  readonly versionIndex: number;
  readonly qualityCode: number;
}

/**
 * The one order of two readings of one identity: by version, then by value as a number, then by quality code. The last
 * wins, in every store. 0 when they say the same at the same version. A reading without value counts as value 0.
 */
export function compareReadings(a: ReadingPosition, b: ReadingPosition): number {
  return compareVersions(a.columns.versions, a.versionIndex, b.columns.versions, b.versionIndex) || compareValues(a, b);
}

/** 0 when both say the same: same value as a number and same quality. */
export function compareValues(a: ReadingPosition, b: ReadingPosition): number {
  return (
    compareDecimals(
      a.columns.values[a.index] as number,
      a.columns.decimals,
      b.columns.values[b.index] as number,
      b.columns.decimals,
    ) || a.qualityCode - b.qualityCode
  );
}
