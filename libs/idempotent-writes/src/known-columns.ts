import { ReadingCursor, sliceColumns, type ReadingColumns } from '@meterflow/readings';
import { lineOf, type KnownBy, type Origin } from './reading-history.ts';

/**
 * Of a segment's readings those whose version was known, in order. Undeclared versions tell when they were accepted; of
 * declared ones `origins` do, and where they tell nothing, as of what rules made of nothing, the version counts as known.
 */
export function knownColumns(
  columns: ReadingColumns,
  { instantMs, activationMax = Infinity }: KnownBy,
  origins: readonly Origin[] = [],
): ReadingColumns[] {
  const { declared, acceptedAtMs, activation } = columns.versions;
  const cursor = new ReadingCursor(columns);
  const known: { from: number; to: number }[] = [];
  while (cursor.next()) {
    const version = cursor.versionIndex;
    const isKnown =
      (acceptedAtMs[version] as number) <= instantMs &&
      (activation[version] as number) <= activationMax &&
      firstAcceptedMs(origins, cursor, declared[version] as number) <= instantMs;
    const last = known.at(-1);
    if (isKnown && last?.to === cursor.index) {
      last.to += 1;
    } else if (isKnown) {
      known.push({ from: cursor.index, to: cursor.index + 1 });
    }
  }
  return known.map(({ from, to }) => (to - from === columns.values.length ? columns : sliceColumns(columns, from, to)));
}

function firstAcceptedMs(origins: readonly Origin[], reading: ReadingCursor, declared: number): number {
  if (declared === 0) {
    return -Infinity;
  }
  let firstMs = Infinity;
  for (const origin of origins) {
    if (origin.declared === declared && origin.acceptedAtMs < firstMs && lineOf(origin, reading) !== undefined) {
      firstMs = origin.acceptedAtMs;
    }
  }
  return firstMs === Infinity ? -Infinity : firstMs;
}
