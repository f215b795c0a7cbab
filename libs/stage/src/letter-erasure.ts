/** Whose dead letters and parked batches to erase: a tenant's, or what in them is of a meter or a series. */
export interface LetterErasure {
  readonly tenant: string;
  readonly series?: { readonly meter: string; readonly channel?: string };
  /** Of readings accepted up to this instant, and of aggregates with a ticket up to that one. */
  readonly upToMs: number;
  readonly ticket: number;
}

export interface ErasedLetters {
  /** Payloads that are gone, with their reasons. */
  readonly purged: number;
  /** Batches of which the readings of other series are left. */
  readonly reduced: number;
}

/** A store of dead letters from which what is personal can be erased for good. */
export interface ErasableLetters {
  /**
   * Drops the payloads that hold what is to be erased; batches that hold other series beside keep those. The same holds
   * for what is put later about messages that were under way. Ended in between, it is to be called again.
   */
  erase(erasure: LetterErasure): Promise<ErasedLetters>;
  /** How many letters hold something of it now. */
  found(erasure: LetterErasure): Promise<number>;
}
