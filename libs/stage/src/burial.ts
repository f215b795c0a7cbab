import { hash } from 'node:crypto';
import type { BackOff } from './back-off.ts';
import type { DeadLetter } from './dead-letters.ts';
import { HaltedError, IntegrityError, PermanentError } from './errors.ts';
import type { GroupContext } from './group-context.ts';
import type { KeyClaims } from './key-claims.ts';
import type { LeasedMessage } from './message.ts';
import type { Origin, RefusedPart } from './stage.ts';
import type { Work } from './work.ts';

interface Deceased {
  readonly message: LeasedMessage;
  readonly key: string;
  readonly origin: Origin;
  readonly error: Error;
}

/** Makes dead letters and parked ones. Each resolves when the letter is durable, however long that takes. */
export class Burial {
  readonly #context: GroupContext;
  readonly #backOff: BackOff;
  readonly #claims: KeyClaims;

  constructor(context: GroupContext, backOff: BackOff, claims: KeyClaims) {
    this.#context = context;
    this.#backOff = backOff;
    this.#claims = claims;
  }

  /** Of bytes that nobody understands. */
  async buryUndecodable(message: LeasedMessage, error: Error): Promise<void> {
    const permanent =
      error instanceof PermanentError
        ? error
        : new IntegrityError('decoder-broke', `decoding failed: ${error.message}`, { cause: error });
    const key = hash('sha256', message.payload, 'hex').slice(0, 32);
    const origin = { tenant: message.attributes['tenant'] ?? '', causes: [], layers: [] };
    await this.#put({ message, key, origin, error: permanent });
  }

  /** Of a whole message; its claim is forgotten. */
  async bury(work: Work<unknown>, origin: Origin, error: Error): Promise<void> {
    await this.#put({ message: work.messages[0], key: work.key, origin, error });
    await this.#claims.forget(work);
  }

  /** Of a part of a message, under a key of its own; the rest has gone on. */
  async buryPart(work: Work<unknown>, tenant: string, refused: { part: RefusedPart; error: Error }): Promise<void> {
    const { part, error } = refused;
    const message = { ...work.messages[0], payload: part.payload };
    await this.#put({ message, key: part.key, origin: { tenant, causes: [], layers: [] }, error });
  }

  async #put(deceased: Deceased): Promise<void> {
    const letter = this.#letter(deceased);
    await this.#backOff.until(() => this.#context.deadLetters.put([letter]));
    this.#tell(letter, deceased.error);
  }

  #letter({ message, key, origin, error }: Deceased): DeadLetter {
    const { stageName: stage, source, clock } = this.#context;
    return {
      id: `${stage}/${key}`,
      state: error instanceof HaltedError ? 'parked' : 'dead',
      stage,
      subscription: source.subscription,
      key,
      ...origin,
      reasonCode: error instanceof PermanentError ? error.code : 'refused',
      reason: error.message,
      payload: message.payload,
      attributes: message.attributes,
      atMs: clock.nowMs(),
    };
  }

  #tell({ key, state, reasonCode: code, reason }: DeadLetter, error: Error): void {
    const { telemetry, stageName: stage } = this.#context;
    const fields = { stage, key, code, reason };
    if (error instanceof IntegrityError) {
      telemetry.logger.error('a rule of our own is broken; the message is a dead letter', fields);
    } else {
      telemetry.logger.warn(`message ${state === 'parked' ? 'parked' : 'dead-lettered'}`, fields);
    }
    telemetry.count('stage_dead_letters_total', 1, { stage, code, state });
  }
}
