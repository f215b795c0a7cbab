import type { Ledger, LedgerSummary } from '@meterflow/idempotent-writes';
import type { Table } from '../client/table.ts';
import { under } from '../rows/key-hash.ts';
import { tables } from '../schema.ts';
import { inQualifiers } from '../wire/row-filter.ts';
import { sourceKey } from './ledger-key.ts';
import { LedgerSums } from './summarize.ts';

const pageRows = 2_000;

/** Adds up a source's rows each time it is asked: one for each accepted batch. */
export class BigtableLedger implements Ledger {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async summary(sourceId: string): Promise<readonly LedgerSummary[]> {
    const sums = new LedgerSums();
    for await (const row of this.#table.scan(
      under(sourceKey(sourceId)),
      inQualifiers({ family: tables.ledger.rows }),
      pageRows,
    )) {
      sums.add(row);
    }
    return sums.summaries;
  }
}
