/** What to erase: a tenant, a meter of it, or one series. */
export interface ErasureScope {
  readonly tenant: string;
  /** Without a channel: the whole meter, whichever channels it has or may get. */
  readonly series?: { readonly meter: string; readonly channel?: string };
}

export interface Erasure extends ErasureScope {
  /**
   * The tombstone: nothing at or below it is ever read again. For readings the instant of the erasure (batches accepted
   * up to it), for aggregates a ticket taken for it.
   */
  readonly upTo: number;
}

/** How much was there. The proof of an erasure prints it. */
export interface Erased {
  readonly series: number;
  /** Days of readings, or sheets of aggregates. */
  readonly rows: number;
  /** Where superseded readings were. */
  readonly historyRows: number;
}

/** A store from which readings or aggregates can be erased for good. */
export interface ErasableStore {
  /**
   * Leaves a tombstone, then deletes; both durable when it resolves. No redelivery or replay brings back what is at or
   * below the tombstone. Ended in between, it is to be called again; called again it finds nothing.
   */
  erase(erasure: Erasure): Promise<Erased>;
  /** What a look at the store finds of it now. */
  found(erasure: Erasure): Promise<Erased>;
}
