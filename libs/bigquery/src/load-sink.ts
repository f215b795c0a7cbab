import { FatalError, PermanentError, TransientError, type Clock, type Sink, type Telemetry } from '@meterflow/stage';
import { QuotaError } from './failure.ts';
import type { Jobs } from './jobs.ts';
import type { WarehouseLimits } from './limits.ts';
import type { RowFile } from './reading-rows.ts';

export interface LoadSinkOptions<Write> {
  readonly table: string;
  /** The writes as a file of the table's rows. */
  readonly rows: (writes: readonly Write[], writtenAtMs: number) => RowFile;
  readonly jobs: Jobs;
  /** Whether the table has every column that the rows have. */
  readonly fits: () => Promise<boolean>;
  readonly clock: Clock;
  readonly limits: WarehouseLimits;
  readonly telemetry: Telemetry;
  /** Once it aborts, loads no longer wait for their turn. */
  readonly signal: AbortSignal;
}

/**
 * Appends writes to a table, a load job for each group. A retry, or a process that died before its ack, may append the
 * same rows again: what is shown of them stays the same.
 */
export class LoadSink<Write> implements Sink<Write> {
  readonly #options: LoadSinkOptions<Write>;
  #nextLoadMs = 0;
  #lastSeenMs = 0;
  #quotaUsedUpToMs = 0;

  constructor(options: LoadSinkOptions<Write>) {
    this.#options = options;
  }

  async write(writes: readonly Write[]): Promise<void> {
    const { table, rows, jobs, clock, telemetry } = this.#options;
    await this.#turn();
    const file = rows(writes, clock.nowMs());
    if (file.rows === 0) {
      return;
    }
    await jobs.load(table, file.bytes).catch((error: unknown) => this.#fail(error));
    telemetry.count('warehouse_rows_total', file.rows, { table });
    telemetry.count('warehouse_load_jobs_total', 1, { table });
    telemetry.count('warehouse_load_bytes_total', file.bytes.length, { table });
  }

  async #fail(error: unknown): Promise<never> {
    const { table, clock, limits, fits } = this.#options;
    if (error instanceof QuotaError) {
      this.#quotaUsedUpToMs = clock.nowMs() + limits.quotaPauseMs;
    }
    // A build that is rolled out before its tables must not make dead letters of all that comes.
    if (error instanceof PermanentError && !(await fits())) {
      throw new FatalError(`table ${table} lacks what this build writes: provision it first`, { cause: error });
    }
    throw error;
  }

  /** Loads of one process follow each other at a distance, since the service counts them. */
  async #turn(): Promise<void> {
    const { clock, limits, signal } = this.#options;
    const nowMs = clock.nowMs();
    if (nowMs < this.#quotaUsedUpToMs) {
      throw new TransientError(`BigQuery: no load for ${this.#quotaUsedUpToMs - nowMs} ms, since a quota is used up`);
    }
    if (nowMs < this.#lastSeenMs) {
      // The clock was set back: what it showed before says nothing about turns.
      this.#nextLoadMs = nowMs;
    }
    this.#lastSeenMs = nowMs;
    const turnMs = Math.max(nowMs, this.#nextLoadMs);
    this.#nextLoadMs = turnMs + limits.loadIntervalMs;
    if (turnMs > nowMs && !signal.aborted) {
      await clock.sleep(turnMs - nowMs, signal);
    }
  }
}
