import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

export interface LoadOptions {
  readonly pushesPerSecond: number;
  readonly metersPerPush: number;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Sends CSV under an Idempotency-Key once; undefined where nobody answered. */
export type Send = (csv: string, key: string) => Promise<Answer | undefined>;

export interface Push {
  readonly sourceId: string;
  readonly readings: number;
  /** When it was first sent, by this process's clock. */
  readonly sentAtMs: number;
}

const firstReadingMs = Date.UTC(2025, 5, 1);
const quarterHourMs = 900_000;
const againMs = 50;

/** Pushes at a steady pace, each a quarter of an hour of many meters, and each until it was answered. */
export class SteadyLoad {
  readonly #send: Send;
  readonly #options: LoadOptions;
  readonly #pushed: Push[] = [];
  readonly #sending = new Set<Promise<void>>();
  readonly #running: Promise<void>;
  /** How often a push was sent again, since it had no answer or nobody took it. */
  sentAgain = 0;
  #stopped = false;
  #failed: Error | undefined;

  constructor(send: Send, options: LoadOptions) {
    this.#send = send;
    this.#options = options;
    this.#running = this.#run();
  }

  /** Those that were answered, in that order. */
  get pushes(): readonly Push[] {
    return this.#pushed;
  }

  /** Resolves when so many more pushes are answered. */
  async answered(more: number): Promise<void> {
    for (const until = this.#pushed.length + more; this.#pushed.length < until && this.#failed === undefined;) {
      await sleep(againMs);
    }
  }

  /** Resolves with all that was answered when nothing is under way any more; rejects when a push was refused. */
  async stop(): Promise<readonly Push[]> {
    this.#stopped = true;
    await this.#running;
    await Promise.all(this.#sending);
    if (this.#failed !== undefined) {
      throw this.#failed;
    }
    return this.#pushed;
  }

  async #run(): Promise<void> {
    const everyMs = 1_000 / this.#options.pushesPerSecond;
    const startMs = performance.now();
    for (let push = 0; !this.#stopped && this.#failed === undefined; push += 1) {
      const sending = this.#push(push)
        .catch((error: unknown) => {
          this.#failed ??= error as Error;
        })
        .finally(() => this.#sending.delete(sending));
      this.#sending.add(sending);
      await sleep(Math.max(0, startMs + (push + 1) * everyMs - performance.now()));
    }
  }

  async #push(interval: number): Promise<void> {
    const { metersPerPush: readings } = this.#options;
    const body = csvOf(readings, interval);
    const key = randomUUID();
    const sentAtMs = Date.now();
    for (;;) {
      const answer = await this.#send(body, key);
      if (answer !== undefined && answer.status < 300) {
        const { sourceId } = JSON.parse(answer.body) as { readonly sourceId: string };
        this.#pushed.push({ sourceId, readings, sentAtMs });
        return;
      }
      if (answer !== undefined && answer.status < 500 && answer.status !== 429 && answer.status !== 409) {
        throw new Error(`a push was refused: ${answer.status} ${answer.body}`);
      }
      this.sentAgain += 1;
      await sleep(againMs);
    }
  }
}

/** A quarter of an hour of so many meters. */
export function csvOf(meters: number, interval: number): string {
  const start = new Date(firstReadingMs + interval * quarterHourMs).toISOString().replace('.000Z', 'Z');
  const lines = Array.from({ length: meters }, (_, meter) => `rolling-${meter},import,${start},0.${meter % 89},kWh\n`);
  return `meter_id,channel,start,value,unit\n${lines.join('')}`;
}
