import type { LeasedMessage } from './message.ts';

export interface ReceiveRequest {
  readonly messagesMax: number;
  /** Stops before the message that would pass it, but always gives at least one. */
  readonly bytesMax: number;
  /** How long to wait for the first message. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

/**
 * One subscription. Called by one stage; `receive` from one caller at a time, the others from several. Every method
 * rejects with a TransientError when the bus can't be reached.
 */
export interface Source {
  /** The subscription's name: the first part of every done mark. */
  readonly subscription: string;
  /** Raised before a deliberate replay, so that marks of earlier deliveries no longer count. Read once a group. */
  epoch(): Promise<number>;
  /** How long a lease holds: a message neither settled nor extended by then is delivered again. */
  readonly ackDeadlineMs: number;
  /** Leases messages; [] when none came within `waitMs` or the signal aborted. */
  receive(request: ReceiveRequest): Promise<readonly LeasedMessage[]>;
  /** Settles for good. An ack that comes after its lease ran out may be ignored: the message then comes again. */
  ack(messages: readonly LeasedMessage[]): Promise<void>;
  /** Gives back: the message is delivered again, not before `delayMs`. */
  nack(messages: readonly LeasedMessage[], delayMs: number): Promise<void>;
  /** Leases for another `ackDeadlineMs` from now. Called several times within each deadline. */
  extend(messages: readonly LeasedMessage[]): Promise<void>;
}
