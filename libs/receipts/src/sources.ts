import type { Receipt, Reject, Remark, RemarkCounts } from './receipt.ts';

/** What brings readings: a file, an HTTP request, a message of a providers' topic. */
export const sourceKinds = ['file', 'request', 'topic'] as const;
export type SourceKind = (typeof sourceKinds)[number];

export interface AcceptanceRequest {
  readonly tenant: string;
  readonly kind: SourceKind;
  /**
   * What makes it the same acceptance: for a file its content's SHA-256, the mapping's version and `--source-version`;
   * for a request its Idempotency-Key, or a new random one; for a message the SHA-256 of payload and publish time.
   */
  readonly identity: string;
  /**
   * Names this delivery, where its sender may ask for it again without knowing whether it was finished: then it is found
   * as it was instead of being followed by the next one. Absent: each delivery after a finished one is the next.
   */
  readonly delivery?: string;
  /** SHA-256 of the content (for a request, of all that makes it the same request), hexadecimal. */
  readonly contentHash: string;
  /** What a person calls it: the file's name; empty for a request. */
  readonly label: string;
  /** Name and revision of the mapping, `name@3`. */
  readonly mapping: string;
  /** Declared by `--source-version` for all its readings; 0 when not given. */
  readonly sourceVersion: number;
  readonly activation: number;
  readonly nowMs: number;
  readonly readingsPerBatch: number;
  /** Readings that start before are refused: what the retention was then. */
  readonly startsFromMs: number;
  /** Version of the registered interval lengths that lines without one are read under; empty where none is registered. */
  readonly intervalLengths: string;
  /** Whether this delivery's readings of series that are not registered are refused. */
  readonly refusesUnknown?: boolean;
}

/** The durable record that fixes all that the batches depend on, so that a resume makes the same batches. */
export interface Acceptance extends Omit<AcceptanceRequest, 'nowMs' | 'delivery' | 'refusesUnknown'> {
  readonly id: string;
  readonly acceptedAtMs: number;
}

export interface Delivery {
  readonly acceptance: Acceptance;
  /** Acceptance id and delivery number: part of every batch and so of its key. */
  readonly sourceId: string;
  /** True where an earlier, unfinished delivery is resumed under the same source id. */
  readonly resumed: boolean;
  /** True where the delivery of this name is closed already: nothing of it is left to do. */
  readonly finished: boolean;
  /** As it was when the delivery began. Absent where nobody said, or an earlier build began it. */
  readonly refusesUnknown?: boolean;
}

/** Written once the last batch is durable on the bus. */
export interface Closing {
  readonly batches: number;
  readonly received: number;
  readonly accepted: number;
  readonly rejected: number;
  /** Absent where an earlier build closed it. */
  readonly remarked?: RemarkCounts;
  readonly atMs: number;
}

/** Thrown when an Idempotency-Key comes back with other content. HTTP says 409. */
export class ContentConflictError extends Error {
  override readonly name = 'ContentConflictError';
}

/** Thrown when lines or an end are told of a source that was never accepted. */
export class UnknownSourceError extends Error {
  override readonly name = 'UnknownSourceError';
}

/** Acceptances, rejects and receipts. Lives in a store that all processes share, never on one process's disk alone. */
export interface Sources {
  /**
   * Compare-and-set: creates the acceptance, or finds the one with this tenant, kind and identity. An unfinished one
   * is resumed; a finished one gets its next delivery number and keeps its acceptance time (its readings then count as
   * duplicates), unless it is the delivery of the same name. Durable before it resolves. Throws {@link ContentConflictError} for a request whose content differs.
   */
  accept(request: AcceptanceRequest): Promise<Delivery>;
  /**
   * Appends rejected lines, durably; a line of a source is kept once however often it is put, its first reason stands.
   * Throws {@link UnknownSourceError}.
   */
  reject(sourceId: string, rejects: readonly Reject[]): Promise<void>;
  /** Appends remarks, under the same terms. */
  remark(sourceId: string, remarks: readonly Remark[]): Promise<void>;
  /** Ends the delivery, durably. A second closing of the same source changes nothing. Throws {@link UnknownSourceError}. */
  close(sourceId: string, closing: Closing): Promise<void>;
  /** How many readings of the tenant were accepted by closings of this instant's UTC day. Asked for every delivery. */
  acceptedOn(tenant: string, atMs: number): Promise<number>;
  /** Undefined where the tenant has no such source. */
  receipt(tenant: string, sourceId: string): Promise<Receipt | undefined>;
  /** Newest delivery first; those begun before the source `before`. */
  list(tenant: string, page: { readonly limit: number; readonly before?: string }): Promise<readonly Receipt[]>;
  /** Rejected lines in their order, those after line `afterLine`. */
  rejects(
    tenant: string,
    sourceId: string,
    page: { readonly limit: number; readonly afterLine: number },
  ): Promise<readonly Reject[]>;
  /** The same for remarks. */
  remarks(
    tenant: string,
    sourceId: string,
    page: { readonly limit: number; readonly afterLine: number },
  ): Promise<readonly Remark[]>;
}
