import { setPriority } from 'node:os';
import { emptyBatch, type DayResult, type Flow, type FlowResult, type Sandbox, type SeriesRun } from '@meterflow/rules';
import type { ReadingBatch } from '@meterflow/readings';
import { processUsage } from '@meterflow/sandbox';

/** A sandbox whose processes can be watched. */
export interface WatchedSandbox extends Sandbox {
  readonly childPids: readonly number[];
}

export interface SandboxCost {
  /** CPU time of its processes once they were up; undefined where the machine does not tell. */
  readonly cpuMs: number | undefined;
  readonly residentBytesMax: number | undefined;
}

const lookEveryMs = 50;
/** Whoever tries a rule stands back behind all that is live. */
const priority = 10;

/** One flow in a sandbox of its own, whose time and memory are counted. */
export class MeasuredSandbox {
  readonly #sandbox: WatchedSandbox;
  readonly #flow: Flow;
  /** By process, so that one that was replaced still counts. */
  readonly #cpu = new Map<number, { readonly fromMs: number; toMs: number }>();
  #residentBytesMax = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(sandbox: WatchedSandbox, flow: Flow) {
    this.#sandbox = sandbox;
    this.#flow = flow;
  }

  /** Brings it up, with the flow loaded; throws what is wrong with the flow. */
  async begin(tenant: string): Promise<void> {
    await this.#sandbox.run(this.#flow, emptyBatch(tenant));
    this.#look();
    this.#timer = setInterval(() => {
      this.#look();
    }, lookEveryMs);
  }

  run(flow: Flow, batch: ReadingBatch): Promise<FlowResult> {
    return this.#sandbox.run(flow, batch);
  }

  runSeries(flow: Flow, run: SeriesRun): Promise<readonly DayResult[]> {
    return this.#sandbox.runSeries(flow, run);
  }

  get cost(): SandboxCost {
    this.#look();
    const cpuMs = [...this.#cpu.values()].reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
    return this.#cpu.size === 0
      ? { cpuMs: undefined, residentBytesMax: undefined }
      : { cpuMs, residentBytesMax: this.#residentBytesMax };
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sandbox.close();
  }

  #look(): void {
    for (const pid of this.#sandbox.childPids) {
      const usage = processUsage(pid);
      if (usage === undefined) {
        continue;
      }
      const known = this.#cpu.get(pid);
      if (known === undefined) {
        this.#cpu.set(pid, { fromMs: usage.cpuMs, toMs: usage.cpuMs });
        standBack(pid);
      } else {
        known.toMs = usage.cpuMs;
      }
      this.#residentBytesMax = Math.max(this.#residentBytesMax, usage.residentBytes);
    }
  }
}

function standBack(pid: number): void {
  try {
    setPriority(pid, priority);
  } catch {
    // It is gone already, or the machine does not let us.
  }
}
