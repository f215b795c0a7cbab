import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { Acceptance, AcceptanceRequest, SourceKind } from '@meterflow/receipts';

/** The row of an acceptance, which its deliveries point to. */
export type AcceptanceRow = number;

/** What is durably fixed of each source. Called within the caller's transaction. */
export class Acceptances {
  readonly #database: DatabaseSync;
  readonly #newId: () => string;

  constructor(database: DatabaseSync, newId: () => string) {
    this.#database = database;
    this.#newId = newId;
  }

  /** The one of this tenant, kind and identity, as it was first asked for. */
  findOrCreate(request: AcceptanceRequest): { readonly row: AcceptanceRow; readonly acceptance: Acceptance } {
    const { tenant, kind, identity } = request;
    this.#database
      .prepare(
        `insert or ignore into acceptances (id, tenant, kind, identity, content_hash, label, mapping, source_version,
         activation, readings_per_batch, accepted_at_ms, starts_from_ms, interval_lengths)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        this.#newId(),
        tenant,
        kind,
        identity,
        request.contentHash,
        request.label,
        request.mapping,
        request.sourceVersion,
        request.activation,
        request.readingsPerBatch,
        request.nowMs,
        request.startsFromMs,
        request.intervalLengths,
      );
    const found = this.#database
      .prepare('select * from acceptances where tenant = ? and kind = ? and identity = ?')
      .get(tenant, kind, identity) as Record<string, SQLOutputValue>;
    return { row: Number(found['row']), acceptance: acceptanceOf(found) };
  }

  at(row: AcceptanceRow): Acceptance {
    const found = this.#database.prepare('select * from acceptances where row = ?').get(row);
    return acceptanceOf(found as Record<string, SQLOutputValue>);
  }
}

function acceptanceOf(row: Record<string, SQLOutputValue>): Acceptance {
  return {
    id: String(row['id']),
    tenant: String(row['tenant']),
    kind: row['kind'] as SourceKind,
    identity: String(row['identity']),
    contentHash: String(row['content_hash']),
    label: String(row['label']),
    mapping: String(row['mapping']),
    sourceVersion: Number(row['source_version']),
    activation: Number(row['activation']),
    acceptedAtMs: Number(row['accepted_at_ms']),
    readingsPerBatch: Number(row['readings_per_batch']),
    startsFromMs: Number(row['starts_from_ms']),
    intervalLengths: String(row['interval_lengths']),
  };
}
