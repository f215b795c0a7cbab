import type { ReadingStore } from '@meterflow/idempotent-writes';
import type { SeriesName } from '@meterflow/readings';
import type { SeriesRegistry } from '@meterflow/registry';
import { takesSeries, type Activation } from '@meterflow/rules';
import type { ActivationOrder, Candidate, RuleDesk } from '../rule-desk.ts';
import { Backtest, type BacktestOutcome, type BacktestProgress } from './backtest.ts';
import { lookedAt } from './looked-at.ts';
import { MeasuredSandbox, type WatchedSandbox } from './measured-sandbox.ts';
import { sampledSeries, type MeterSample, type SampledSeries } from './sampled-series.ts';
import type { Tariff } from './tariff.ts';

/** A rule as it would be activated, and what to try it on. */
export interface BacktestOrder extends ActivationOrder {
  readonly toMs: number;
  readonly sample: MeterSample;
  readonly tariff?: Tariff;
  /** No series is begun after so many readings, or so long. */
  readonly readingsMax: number;
  readonly msMax: number;
}

export interface BacktestResult extends BacktestOutcome {
  readonly rule: Candidate['rule'];
  readonly sampled: Omit<SampledSeries, 'series'>;
  readonly tookMs: number;
}

export interface BacktestDeskPorts {
  readonly rules: Pick<RuleDesk, 'candidate' | 'activations'>;
  /** Every series of the tenant that has raw readings. */
  readonly storedSeries: (tenant: string) => Iterable<SeriesName> | AsyncIterable<SeriesName>;
  /** The raw layer. */
  readonly readings: Pick<ReadingStore, 'read' | 'firstMs'>;
  readonly settings: Pick<SeriesRegistry, 'snapshotOf'>;
  /** A new one, of processes of its own: what is live is not to wait for it. */
  readonly openSandbox: () => WatchedSandbox;
  readonly nowMs: () => number;
}

/** Thrown when as many are running as may: try again later. */
export class BacktestBusyError extends Error {
  override readonly name = 'BacktestBusyError';
}

const backtestsMax = 2;

/** Prepared, and every refusal told; to be run once. */
export type PreparedBacktest = (
  onProgress: (progress: BacktestProgress) => void,
  signal: AbortSignal,
) => Promise<BacktestResult>;

/** Tries a rule on stored readings: what would be otherwise if it were active. Changes nothing. */
export class BacktestDesk {
  readonly #ports: BacktestDeskPorts;
  #running = 0;

  constructor(ports: BacktestDeskPorts) {
    this.#ports = ports;
  }

  /** Throws what an activation would throw, and {@link BacktestBusyError}. */
  async prepare(tenant: string, order: BacktestOrder): Promise<PreparedBacktest> {
    const { activations } = this.#ports.rules;
    const newest = await activations.readNewest(tenant);
    const candidate = await this.#ports.rules.candidate(tenant, order);
    const flow = candidate.flowUpon(newest.flow);
    const span = { fromMs: order.fromMs, toMs: order.toMs };
    const counting = await activations.counting(tenant, newest.number, span);
    if (this.#running >= backtestsMax) {
      throw new BacktestBusyError(`${backtestsMax} backtests are running: try again when one is done`);
    }
    return async (onProgress, signal) => {
      this.#running += 1;
      const startMs = this.#ports.nowMs();
      const { openSandbox, readings, nowMs } = this.#ports;
      const before = new MeasuredSandbox(openSandbox(), newest.flow);
      const after = new MeasuredSandbox(openSandbox(), flow);
      try {
        await Promise.all([before.begin(tenant), after.begin(tenant)]);
        const { series, ...sampled } = await sampledSeries(
          this.#ports.storedSeries(tenant),
          order.sample,
          // A policy is for all that the flow runs on; a step for its own series.
          (each) => order.onFailure !== undefined || takesSeries(candidate.step, each),
        );
        const { tariff, readingsMax, msMax } = order;
        const activation: Activation = { ...newest, fromMs: -Infinity, toMs: Infinity, flow };
        const settings = await this.#ports.settings.snapshotOf(tenant, lookedAt(series, [...counting, activation]));
        const outcome = await new Backtest(
          { readings, settings, before, after, nowMs, onProgress, signal },
          { ...span, tenant, counting, candidate: activation, series, tariff, readingsMax, msMax },
        ).run();
        return { ...outcome, rule: candidate.rule, sampled, tookMs: nowMs() - startMs };
      } finally {
        this.#running -= 1;
        await Promise.all([before.close(), after.close()]);
      }
    };
  }
}
