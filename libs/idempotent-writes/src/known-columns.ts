import { ReadingCursor, sliceColumns, type ReadingColumns } from '@meterflow/readings';
import type { KnownBy } from './reading-history.ts';

/** When a reading with a declared version was accepted; -Infinity where nobody knows: it counts as known. */
type DeclaredAcceptedMs = (reading: ReadingCursor, declared: number) => number;

/**
 * Of a segment's readings those whose version was known, in order. Undeclared versions tell when they were accepted; of
 * declared ones `acceptedMs` does, asked for each once, in order. What rules made of nothing counts as known.
 */
export function knownColumns(
  columns: ReadingColumns,
  { instantMs, activationMax = Infinity }: KnownBy,
  declaredAcceptedMs: DeclaredAcceptedMs = () => -Infinity,
): ReadingColumns[] {
  const { declared, acceptedAtMs, activation } = columns.versions;
  const cursor = new ReadingCursor(columns);
  const known: { from: number; to: number }[] = [];
  while (cursor.next()) {
    const version = cursor.versionIndex;
    const revision = declared[version] as number;
    const sinceMs = revision === 0 ? (acceptedAtMs[version] as number) : declaredAcceptedMs(cursor, revision);
    const isKnown = sinceMs <= instantMs && (activation[version] as number) <= activationMax;
    const last = known.at(-1);
    if (isKnown && last?.to === cursor.index) {
      last.to += 1;
    } else if (isKnown) {
      known.push({ from: cursor.index, to: cursor.index + 1 });
    }
  }
  return known.map(({ from, to }) => (to - from === columns.values.length ? columns : sliceColumns(columns, from, to)));
}
