import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { localCredential } from '@meterflow/http';
import type { Fleet } from './fleet.ts';

export interface LoadOptions {
  readonly pushesPerSecond: number;
  readonly metersPerPush: number;
}

export interface Push {
  readonly sourceId: string;
  readonly readings: number;
  /** When it was first sent, by this process's clock. */
  readonly sentAtMs: number;
}

const firstReadingMs = Date.UTC(2025, 5, 1);
const quarterHourMs = 900_000;
const againMs = 50;
const answerMsMax = 15_000;

/** Pushes at a steady pace, each a quarter of an hour of many meters, and each until it was answered. */
export class SteadyLoad {
  readonly #fleet: Fleet;
  readonly #options: LoadOptions;
  readonly #pushed: Push[] = [];
  readonly #sending = new Set<Promise<void>>();
  readonly #running: Promise<void>;
  /** How often a push was sent again, since it had no answer or nobody took it. */
  sentAgain = 0;
  #stopped = false;
  #failed: Error | undefined;

  constructor(fleet: Fleet, options: LoadOptions) {
    this.#fleet = fleet;
    this.#options = options;
    this.#running = this.#run();
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
      const answer = await this.#sendOnce(body, key);
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

  /** To the newest process that takes readings, as a load balancer that knows who is ready; undefined without an answer. */
  #sendOnce(body: string, key: string): Promise<{ readonly status: number; readonly body: string } | undefined> {
    const target = this.#fleet.of('ingest').at(-1);
    if (target === undefined) {
      return Promise.resolve(undefined);
    }
    const headers = {
      authorization: `Bearer ${localCredential('provider', 'default')}`,
      'content-type': 'text/csv',
      'idempotency-key': key,
    };
    const socketPath = join(target.dataDir, 'run/ingest.local.sock');
    return new Promise((resolve) => {
      const fail = (): void => {
        resolve(undefined);
      };
      request({ socketPath, method: 'POST', path: '/v1/readings', headers, timeout: answerMsMax }, (answer) => {
        text(answer).then((said) => {
          resolve({ status: answer.statusCode ?? 0, body: said });
        }, fail);
      })
        .on('timeout', fail)
        .on('error', fail)
        .end(body);
    });
  }
}

function csvOf(meters: number, interval: number): string {
  const start = new Date(firstReadingMs + interval * quarterHourMs).toISOString().replace('.000Z', 'Z');
  const lines = Array.from({ length: meters }, (_, meter) => `rolling-${meter},import,${start},0.${meter % 89},kWh\n`);
  return `meter_id,channel,start,value,unit\n${lines.join('')}`;
}
