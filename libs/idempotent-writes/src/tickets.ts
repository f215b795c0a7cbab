/** A tenant's durable counter. */
export interface Tickets {
  /**
   * One atomic increment: every ticket is higher than all that were taken before it, also across a crash. Taken after
   * the notification arrived and before any input is read; never preallocated, cached or kept. Gaps are harmless.
   */
  take(tenant: string): Promise<number>;
}

/** As an erasure needs them. */
export interface RaisableTickets extends Tickets {
  /**
   * From when it resolves on, no ticket up to `ticket` is given out. For an erasure that is applied to a restored system:
   * the counter of the backup may be older than the erasure's ticket, and what was computed under that or a lower one is
   * never stored.
   */
  raise(tenant: string, ticket: number): Promise<void>;
}
