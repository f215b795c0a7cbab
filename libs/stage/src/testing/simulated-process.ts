import type { Clock } from '../clock.ts';

/** Where in a side effect the process ends: before it, within it (the effect happens, the answer is lost), or after its answer. */
export type Moment = 'before' | 'within' | 'after';

const never = new Promise<never>(() => undefined);

/**
 * A process that ends at a chosen side effect: from then on nothing of it moves any more, as after SIGKILL. Every port
 * goes through `guard`; calls are counted in the order in which the process makes them.
 */
export class SimulatedProcess {
  calls = 0;
  dead = false;
  readonly died: Promise<void>;
  readonly #killAt: number;
  readonly #moment: Moment;
  kill: () => void = () => undefined;

  /** Ends at the side effect number `killAt` (from 1); never with 0. */
  constructor(killAt = 0, moment: Moment = 'before') {
    this.#killAt = killAt;
    this.#moment = moment;
    this.died = new Promise((resolve) => {
      this.kill = resolve;
    });
  }

  /** The same port, through which the process can die. Properties pass; methods are side effects. */
  guard<Port extends object>(port: Port): Port {
    return new Proxy(port, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        return typeof member === 'function'
          ? (...parameters: unknown[]) => this.#call(() => Reflect.apply(member, target, parameters) as unknown)
          : member;
      },
    });
  }

  /** A clock that stands still for the dead. */
  clock(clock: Clock): Clock {
    return {
      nowMs: () => clock.nowMs(),
      sleep: async (ms, signal) => {
        await clock.sleep(ms, signal);
        await this.#unlessDead();
      },
    };
  }

  async #call(effect: () => unknown): Promise<unknown> {
    await this.#unlessDead();
    this.calls += 1;
    const last = this.calls === this.#killAt;
    if (last && this.#moment === 'before') {
      return this.#die();
    }
    const result = await effect();
    if (last && this.#moment === 'within') {
      return this.#die();
    }
    await this.#unlessDead();
    if (last) {
      void this.#die();
    }
    return result;
  }

  #die(): Promise<never> {
    this.dead = true;
    this.kill();
    return never;
  }

  async #unlessDead(): Promise<void> {
    if (this.dead) {
      await never;
    }
  }
}
