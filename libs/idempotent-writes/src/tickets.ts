/** A tenant's durable counter. */
export interface Tickets {
  /**
   * One atomic increment: every ticket is higher than all that were taken before it, also across a crash. Taken after
   * the notification arrived and before any input is read; never preallocated, cached or kept. Gaps are harmless.
   */
  take(tenant: string): Promise<number>;
}
