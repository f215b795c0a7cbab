import type { Clock, Telemetry } from '@meterflow/stage';

export interface ScalingLoopOptions {
  readonly periodMs: number;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** True while this process leads. */
  readonly hold: () => Promise<boolean>;
  readonly pass: () => Promise<void>;
}

/** A pass calls what may be slow, each with a limit; beyond this it is stuck. */
const stuckMs = 120_000;

/** Leads where it can, and then makes a pass, again and again until the signal aborts. */
export class ScalingLoop {
  readonly #options: ScalingLoopOptions;
  #lastAtMs: number;

  constructor(options: ScalingLoopOptions) {
    this.#options = options;
    this.#lastAtMs = options.clock.nowMs();
  }

  get stuck(): boolean {
    return this.#options.clock.nowMs() - this.#lastAtMs > stuckMs + this.#options.periodMs;
  }

  /** Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, periodMs } = this.#options;
    while (!signal.aborted) {
      await this.#once();
      this.#lastAtMs = clock.nowMs();
      await clock.sleep(periodMs, signal);
    }
  }

  async #once(): Promise<void> {
    const { hold, pass, telemetry } = this.#options;
    let leads = false;
    try {
      leads = await hold();
    } catch (error) {
      telemetry.count('job_scaler_lease_failures_total');
      telemetry.logger.warn('the lease can not be had; it is tried again', { error });
    }
    telemetry.gauge('job_scaler_leads_now', leads ? 1 : 0);
    if (leads) {
      await pass();
    }
  }
}
