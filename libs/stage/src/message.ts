/** What is published: bytes and a few short attributes (tenant, content type, trace context). */
export interface OutgoingMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly attributes: Readonly<Record<string, string>>;
}

/** A message leased from a subscription. It comes again unless it is acked before its lease runs out. */
export interface LeasedMessage {
  /** The broker's name for it, unique within the subscription. Never a key: the same fact may be published twice. */
  readonly id: string;
  readonly payload: Uint8Array;
  readonly attributes: Readonly<Record<string, string>>;
  /** When it was published: event age and backlog age count from here. */
  readonly publishedAtMs: number;
  /** 1 on the first delivery, more on a redelivery; 0 where the broker does not count. */
  readonly deliveryAttempt: number;
}
