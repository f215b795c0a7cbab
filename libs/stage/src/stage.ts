import type { Cause } from '@meterflow/readings';
import type { LeasedMessage, OutgoingMessage } from './message.ts';

/** A part of an input that becomes a dead letter of its own (a sub-batch of rejected readings), so that the rest goes on. */
export interface RefusedPart {
  readonly key: string;
  readonly payload: Uint8Array;
}

export interface Refused {
  /** Of the input in its group. */
  readonly index: number;
  readonly error: Error;
  /** Only this of it. */
  readonly part?: RefusedPart;
}

/** What handling a group came to: what to write, then what to publish. */
export interface Handled<Write> {
  readonly writes: readonly Write[];
  readonly messages: readonly OutgoingMessage[];
  /** For each of `messages` the inputs, by their index, that it is made of, for its trace. All of them when absent. */
  readonly messagesOf?: readonly (readonly number[])[];
  /**
   * What this stage refuses for good; the rest goes on. `writes` and `messages` hold nothing of what is refused.
   */
  readonly refused?: readonly Refused[];
}

/** Where a stage's writes go. Called from several groups at once. */
export interface Sink<Write> {
  /**
   * Resolves when every write is durable. Idempotent: the same write twice leaves the same state. Rejects with a
   * TransientError while the store is down: the stage then pauses receiving.
   */
  write(writes: readonly Write[]): Promise<void>;
}

/** Where the work on an input shows up: in the dead letter it may become, and in its source's receipt. */
export interface Origin {
  readonly tenant: string;
  readonly causes: readonly Cause[];
  /** The ledger layers that will not come if this input is dead-lettered. */
  readonly layers: readonly string[];
}

/**
 * One stage of the pipeline, without its I/O. The runner calls the methods in this order for each group (DESIGN §4);
 * none of them may touch a store or the bus but `read`.
 */
export interface Stage<Input, Reads, Write> {
  readonly name: string;
  /** 1. Throws PermanentError when the bytes can never be understood. */
  decode(message: LeasedMessage): Input;
  /** 2. Names the fact: tenant and a 128-bit hash of the canonical payload. */
  key(input: Input): string;
  origin(input: Input): Origin;
  /** 3. Reads what `handle` needs, through ports. Where a ticket is due: the ticket first, then the inputs. */
  read(inputs: readonly Input[]): Promise<Reads>;
  /** 4. Pure: the same inputs and reads give the same bytes. */
  handle(inputs: readonly Input[], reads: Reads): Promise<Handled<Write>>;
}
