import type { DevServer } from '../dev-server.ts';
import { push } from '../requests.ts';

/** The value of each measurement, in watts, as the published load generator has it unless told. */
const valueInW = 10;
/** A second of Theodolite's sensors is a minute here: as many measurements fall into our hour as into its minute. */
export const intervalMs = 60_000;
export const firstStartMs = Date.UTC(2025, 5, 1);
export const sensorChannel = 'power';
const sensorsPerPushMax = 4_000;
/** Pushes that wait for their answer at once; beyond, one more waits here, which counts as lag. */
const pushesInFlightMax = 8;
const dueLookMs = 10;
const refusedPauseMs = 500;
const patienceMs = 30_000;

export function sensorName(sensor: number): string {
  return `s_${sensor}`;
}

/**
 * An open workload: every second each of `sensors` sensors sends a measurement, whatever became of the one before.
 * What is due and not accepted yet waits, and is told.
 */
export class SensorLoad {
  readonly #server: DevServer;
  readonly #sensors: number;
  readonly #stop = new AbortController();
  #roundsDue = 0;
  #accepted = 0;
  #endDue: () => void = () => undefined;
  #senders: Promise<unknown> = Promise.resolve();

  constructor(server: DevServer, sensors: number) {
    this.#server = server;
    this.#sensors = sensors;
  }

  /** Measurements that an ingest with enough room would have taken by now. */
  get due(): number {
    return this.#roundsDue * this.#sensors;
  }

  /** Of those, the ones that were answered with a receipt. */
  get accepted(): number {
    return this.#accepted;
  }

  /** The start of the next round's intervals. */
  get nextStartMs(): number {
    return firstStartMs + this.#roundsDue * intervalMs;
  }

  get measurementsPerMessage(): number {
    return Math.min(this.#sensors, sensorsPerPushMax);
  }

  start(): void {
    const startedMs = performance.now();
    const queue: { readonly round: number; readonly from: number }[] = [];
    const timer = setInterval(() => {
      while (this.#roundsDue <= (performance.now() - startedMs) / 1000) {
        for (let from = 0; from < this.#sensors; from += sensorsPerPushMax) {
          queue.push({ round: this.#roundsDue, from });
        }
        this.#roundsDue += 1;
      }
    }, dueLookMs);
    const sender = async (): Promise<void> => {
      while (!this.#stop.signal.aborted) {
        const next = queue.shift();
        await (next === undefined ? wait(dueLookMs) : this.#send(next));
      }
    };
    this.#endDue = () => {
      clearInterval(timer);
    };
    this.#senders = Promise.all(Array.from({ length: pushesInFlightMax }, sender));
  }

  /** No further round comes due. Resolves once those that are due are accepted, or could not be in `patienceMs`. */
  async stop(): Promise<void> {
    this.#endDue();
    const startedMs = performance.now();
    while (this.#accepted < this.due && performance.now() - startedMs < patienceMs) {
      await wait(dueLookMs);
    }
    this.#stop.abort();
    await this.#senders;
  }

  async #send({ round, from }: { readonly round: number; readonly from: number }): Promise<void> {
    const to = Math.min(from + sensorsPerPushMax, this.#sensors);
    const csv = linesOf({ round, from, to });
    while (!this.#stop.signal.aborted) {
      try {
        await push(this.#server, csv);
        this.#accepted += to - from;
        return;
      } catch {
        // Refused, since the stages are behind: the same again, as any sender would. Meanwhile it is lag.
        await wait(refusedPauseMs);
      }
    }
  }
}

function linesOf({ round, from, to }: { readonly round: number; readonly from: number; readonly to: number }): string {
  const startMs = firstStartMs + round * intervalMs;
  const start = new Date(startMs).toISOString().replace('.000Z', 'Z');
  const end = new Date(startMs + intervalMs).toISOString().replace('.000Z', 'Z');
  let lines = 'meter_id,channel,start,end,value,unit\n';
  for (let sensor = from; sensor < to; sensor++) {
    lines += `${sensorName(sensor)},${sensorChannel},${start},${end},${valueInW},W\n`;
  }
  return lines;
}

function wait(ms: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, ms));
}
