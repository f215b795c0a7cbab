import { TransientError, type Clock } from '@meterflow/stage';
import type { FaultKind } from './fault.ts';
import type { Random } from './random.ts';
import type { Timeline } from './world.ts';

export interface ProcessOptions {
  readonly time: Timeline;
  /** How long calls take, and in which order they so come. */
  readonly random: Random;
  /** Counts one more side effect of the process's stage; says what befalls the process at it. */
  readonly nextEffect: (name: string) => FaultKind | undefined;
  /** How long a stall lasts: longer than any lease. */
  readonly stallMs: number;
}

/** A call that may wait long. */
export interface AwaitedCall<Result> {
  readonly begin: (signal: AbortSignal) => Promise<Result>;
  readonly signal: AbortSignal;
  readonly isEffect: (result: Result) => boolean;
  /** Makes it as if it had not happened. */
  readonly undo: (result: Result) => Promise<void>;
}

type Answer = { readonly value: unknown } | { readonly error: unknown };

/**
 * A simulated process. Every call through a guarded port takes time on the way there and back, and it can end at any of
 * them: from then on no line of it runs again. That is so because all that its code ever waits for is an answer or a
 * timer of this class, and those of an ended process never come: no `catch`, no `finally`, no timer. It can only end in
 * a turn of the world, when its code is at rest.
 */
export class CrashingProcess {
  readonly #options: ProcessOptions;
  readonly #drain = new AbortController();
  readonly #ended = Promise.withResolvers<undefined>();
  readonly #gone = new AbortController();
  #until: { readonly of: AbortSignal; readonly signal: AbortSignal } | undefined;
  #dead = false;
  #frozenUntilMs = 0;

  constructor(options: ProcessOptions) {
    this.#options = options;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Resolves when the process was ended. */
  get ended(): Promise<undefined> {
    return this.#ended.promise;
  }

  /** Until when it stands still; in the past if it does not. */
  get frozenUntilMs(): number {
    return this.#frozenUntilMs;
  }

  /** Aborts when the process is told to stop. */
  get signal(): AbortSignal {
    return this.#drain.signal;
  }

  readonly clock: Clock = {
    nowMs: () => Math.floor(this.#options.time.nowMs()),
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) {
          resolve();
          return;
        }
        const abort = (): void => {
          resolve();
        };
        this.#later(ms, () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        });
        signal?.addEventListener('abort', abort, { once: true });
      }),
  };

  /** The same port, each call of it a side effect at which the process can end. Properties pass. */
  guard<Port extends object>(port: Port, name: string): Port {
    return new Proxy(port, {
      get: (target, member) => {
        const value: unknown = Reflect.get(target, member, target);
        return typeof value === 'function'
          ? (...parameters: unknown[]) =>
              this.effect(`${name}.${String(member)}`, () => Reflect.apply(value, target, parameters) as unknown)
          : value;
      },
    });
  }

  /** One side effect: sent, done in the world, answered. */
  effect<Result>(name: string, work: () => Result | Promise<Result>): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      this.#later(this.#latencyMs(), async () => {
        const fault = this.#options.nextEffect(name);
        if (this.#endsFirst(fault)) {
          return;
        }
        if (fault === 'stall') {
          this.freeze();
          this.#later(0, async () => {
            this.#answer(await answerOf(work), { resolve, reject, fault });
          });
          return;
        }
        const answer = fault === 'refused' ? failure() : await answerOf(work);
        this.#answer(answer, { resolve, reject, fault });
      });
    });
  }

  /**
   * A call that waits for something, which is a side effect only when it has come. `begin` must take nothing after its
   * signal has aborted.
   */
  awaited<Result>(name: string, call: AwaitedCall<Result>): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      this.#later(this.#latencyMs(), () => {
        void answerOf(() => call.begin(this.#untilEnd(call.signal))).then((answer) => {
          this.#later(0, () => this.#came(name, call, { answer, resolve, reject }));
        });
      });
    });
  }

  async #came<Result>(
    name: string,
    call: AwaitedCall<Result>,
    { answer, ...to }: { answer: Answer; resolve: (value: never) => void; reject: (error: Error) => void },
  ): Promise<void> {
    if ('error' in answer || !call.isEffect(answer.value as Result)) {
      this.#answer(answer, { ...to, fault: undefined });
      return;
    }
    const fault = this.#options.nextEffect(name);
    if (fault === 'before' || fault === 'refused') {
      await call.undo(answer.value as Result);
    }
    if (this.#endsFirst(fault)) {
      return;
    }
    if (fault === 'stall') {
      this.freeze();
    }
    this.#answer(fault === 'refused' ? failure() : answer, { ...to, fault });
  }

  /** Aborts with the signal, and when the process ends. Made once for each signal: a stage waits with the same one. */
  #untilEnd(signal: AbortSignal): AbortSignal {
    if (this.#until?.of !== signal) {
      this.#until = { of: signal, signal: AbortSignal.any([signal, this.#gone.signal]) };
    }
    return this.#until.signal;
  }

  /** Stands still past all its leases, then goes on. */
  freeze(): void {
    this.#frozenUntilMs = this.#options.time.nowMs() + this.#options.stallMs;
  }

  /** Ends it, as SIGKILL does. Only from a turn of the world. */
  end(): void {
    this.#dead = true;
    this.#gone.abort('ended');
    this.#ended.resolve(undefined);
  }

  /**
   * Lets go of what the engine would keep for ever: signals that someone still listens to. Once the run is over and nobody
   * looks any more, since code of an ended process then runs into the void.
   */
  forget(): void {
    this.end();
    this.#drain.abort();
  }

  #endsFirst(fault: FaultKind | undefined): boolean {
    if (fault === 'drain') {
      this.#drain.abort();
    }
    if (fault === 'before') {
      this.end();
    }
    return this.#dead;
  }

  #answer(
    answer: Answer,
    to: {
      readonly resolve: (value: never) => void;
      readonly reject: (error: Error) => void;
      readonly fault: FaultKind | undefined;
    },
  ): void {
    if (to.fault === 'within') {
      this.end();
      return;
    }
    const heard = to.fault === 'unanswered' ? failure() : answer;
    this.#later(this.#latencyMs(), () => {
      if ('error' in heard) {
        to.reject(heard.error as Error);
      } else {
        to.resolve(heard.value as never);
      }
      if (to.fault === 'after') {
        this.#later(0, () => {
          this.end();
        });
      }
    });
  }

  /** In a turn of the world, unless the process has ended by then; not while it stands still. */
  #later(ms: number, action: () => void | Promise<void>): void {
    const { time } = this.#options;
    time.after(ms, () => {
      const frozenMs = this.#frozenUntilMs - time.nowMs();
      if (frozenMs > 0 && !this.#dead) {
        this.#later(frozenMs, action);
        return undefined;
      }
      return this.#dead ? undefined : action();
    });
  }

  /** Mostly short; now and then so long that others do much meanwhile. */
  #latencyMs(): number {
    const { random } = this.#options;
    const chance = random();
    if (chance < 0.9) {
      return 0.1 + random();
    }
    return chance < 0.985 ? 1 + random() * 15 : 20 + random() * 300;
  }
}

async function answerOf(work: () => unknown): Promise<Answer> {
  try {
    return { value: await work() };
  } catch (error) {
    return { error };
  }
}

function failure(): Answer {
  return { error: new TransientError('the call failed on its way') };
}
