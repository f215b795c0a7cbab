/** Thrown when no retry can mend the message: it is dead-lettered at once. `code` is stable; operators filter by it. */
export class PermanentError extends Error {
  override readonly name: string = 'PermanentError';
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Thrown when a rule of our own is broken (a count that does not add up): dead-lettered and alerted, whatever a policy says. */
export class IntegrityError extends PermanentError {
  override readonly name = 'IntegrityError';
}

/** Thrown when a flow's policy halts a batch: it is parked until the flow is resumed. */
export class HaltedError extends PermanentError {
  override readonly name = 'HaltedError';
}

/** Thrown when the same call may succeed later: a sink or the bus is down. Backed off, never dead-lettered by count. */
export class TransientError extends Error {
  override readonly name = 'TransientError';
}

/**
 * Thrown when another one did a part of the same work meanwhile, which is to be read anew: nothing is down. The message alone is
 * tried again, once all others of its group are settled and after a while; never dead-lettered by count.
 */
export class OvertakenWorkError extends Error {
  override readonly name = 'OvertakenWorkError';
}

/** Thrown when this process can't go on (its data directory is gone): the stage drains nothing and the process exits. */
export class FatalError extends Error {
  override readonly name = 'FatalError';
}
