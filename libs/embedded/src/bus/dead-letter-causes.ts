import type { DatabaseSync } from 'node:sqlite';

/** A ledger row that a dead letter stands for, as long as no store has a row `stored` for the same. */
export interface DeadLetterCause {
  readonly sourceId: string;
  /** Of the accepted batch. */
  readonly key: string;
  readonly part: number;
  readonly parts: number;
  readonly layer: string;
  /** `purged`: dead, and an operator dropped its payload. */
  readonly state: 'dead' | 'parked' | 'purged';
}

/** What of a source is in the dead letters. `database`: see `openDeadLetterFile`. */
export function deadLetterCauses(database: DatabaseSync, sourceId: string): readonly DeadLetterCause[] {
  const rows = database
    .prepare(
      `select sourceId, causes.key as key, part, parts, layer, state from causes join letters using (id)
       where sourceId = ? order by causes.key, part, layer`,
    )
    .all(sourceId);
  return rows as unknown as DeadLetterCause[];
}
