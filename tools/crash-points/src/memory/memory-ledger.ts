import {
  addOutcomes,
  ledgerLayers,
  noOutcomes,
  type Ledger,
  type LedgerLayer,
  type LedgerSummary,
  type OutcomeCounts,
} from '@meterflow/idempotent-writes';
import type { Cause } from '@meterflow/readings';

interface StoredRow {
  readonly cause: Cause;
  counts: OutcomeCounts;
  readonly writeKey: string | undefined;
}

interface FailedRow {
  readonly cause: Cause;
  readonly state: 'dead' | 'parked';
}

/** What is known of one accepted batch in one layer. */
class BatchRows {
  readonly stored: StoredRow[] = [];
  readonly failed: FailedRow[] = [];

  get whole(): boolean {
    return this.stored.some(({ cause: { parts } }) => this.#cutInto(parts).length === parts);
  }

  /** Counted once: as it was cut first. */
  get counts(): OutcomeCounts {
    const [first] = this.stored;
    return first === undefined
      ? noOutcomes
      : this.#cutInto(first.cause.parts)
          .map(({ counts }) => counts)
          .reduce(addOutcomes);
  }

  get state(): 'stored' | 'dead' | 'parked' | 'none' {
    if (this.whole) {
      return 'stored';
    }
    const states = this.failed.filter(({ cause }) => this.rowOf(cause) === undefined).map(({ state }) => state);
    return states.includes('dead') ? 'dead' : (states[0] ?? 'none');
  }

  rowOf({ part, parts }: Cause): StoredRow | undefined {
    return this.stored.find(({ cause }) => cause.part === part && cause.parts === parts);
  }

  #cutInto(parts: number): StoredRow[] {
    return this.stored.filter(({ cause }) => cause.parts === parts);
  }
}

/** A ledger in memory, written by the stores beside it. */
export class MemoryLedger implements Ledger {
  readonly #sources = new Map<string, Map<LedgerLayer, Map<string, BatchRows>>>();

  /** True when the cause has its row; the first one stands. */
  has(cause: Cause, layer: LedgerLayer): boolean {
    return this.#rows(cause, layer).rowOf(cause) !== undefined;
  }

  add(cause: Cause, layer: LedgerLayer, counts: OutcomeCounts): void {
    const rows = this.#rows(cause, layer);
    if (rows.rowOf(cause) === undefined) {
      rows.stored.push({ cause, counts, writeKey: undefined });
    }
  }

  /** The same, with the outcome of the write: that of its earlier try, where one wrote the row. */
  addWritten(
    cause: Cause,
    layer: LedgerLayer,
    { counts, writeKey }: { readonly counts: OutcomeCounts; readonly writeKey: string },
  ): OutcomeCounts {
    const rows = this.#rows(cause, layer);
    const standing = rows.rowOf(cause);
    if (standing === undefined) {
      rows.stored.push({ cause, counts, writeKey });
    }
    return standing?.writeKey === writeKey ? standing.counts : counts;
  }

  /** Adds what a later write changed on the account of a cause that has its row. */
  raise(cause: Cause, layer: LedgerLayer, { inserted, superseded, conflict }: OutcomeCounts): void {
    const row = this.#rows(cause, layer).rowOf(cause);
    if (row !== undefined) {
      row.counts = addOutcomes(row.counts, { ...noOutcomes, inserted, superseded, conflict });
    }
  }

  fail(cause: Cause, layer: LedgerLayer, state: 'dead' | 'parked'): void {
    const { failed } = this.#rows(cause, layer);
    const known = failed.findIndex((row) => row.cause.part === cause.part && row.cause.parts === cause.parts);
    failed.splice(known < 0 ? failed.length : known, known < 0 ? 0 : 1, { cause, state });
  }

  summary(sourceId: string): Promise<readonly LedgerSummary[]> {
    return Promise.resolve(ledgerLayers.map((layer) => this.#summary(sourceId, layer)));
  }

  #summary(sourceId: string, layer: LedgerLayer): LedgerSummary {
    const batches = [...(this.#sources.get(sourceId)?.get(layer)?.values() ?? [])];
    const inState = (state: BatchRows['state']): number => batches.filter((rows) => rows.state === state).length;
    return {
      layer,
      batchesStored: inState('stored'),
      batchesDead: inState('dead'),
      batchesParked: inState('parked'),
      counts: batches.map(({ counts }) => counts).reduce(addOutcomes, noOutcomes),
    };
  }

  #rows({ sourceId, key }: Cause, layer: LedgerLayer): BatchRows {
    const layers = this.#sources.get(sourceId) ?? new Map<LedgerLayer, Map<string, BatchRows>>();
    this.#sources.set(sourceId, layers);
    const batches = layers.get(layer) ?? new Map<string, BatchRows>();
    layers.set(layer, batches);
    const rows = batches.get(key) ?? new BatchRows();
    batches.set(key, rows);
    return rows;
  }
}
