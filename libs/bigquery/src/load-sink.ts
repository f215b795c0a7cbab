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
  /** Once it aborts, loads no longer wait for their turn, and what fails for now is not tried again. */
  readonly signal: AbortSignal;
}

/**
 * Appends writes to a table, a load job for each group. A retry, or a process that died before its ack, may append the
 * same rows again: what is shown of them stays the same.
 *
 * While BigQuery is down or a quota is used up it tries again by itself, the whole group at once: a stage would go on
 * message by message, each a job that is counted. Only when the signal aborts is what fails for now handed back.
 */
export class LoadSink<Write> implements Sink<Write> {
  readonly #options: LoadSinkOptions<Write>;
  #nextLoadMs = 0;
  #lastSeenMs = 0;

  constructor(options: LoadSinkOptions<Write>) {
    this.#options = options;
  }

  async write(writes: readonly Write[]): Promise<void> {
    const { table, rows, jobs, clock, telemetry } = this.#options;
    if (writes.length === 0) {
      return;
    }
    await this.#turn();
    const file = rows(writes, clock.nowMs());
    while (!(await jobs.load(table, file.bytes).then(stored, (error: unknown) => this.#later(error)))) {
      await this.#turn();
    }
    telemetry.count('warehouse_rows_total', file.rows, { table });
    telemetry.count('warehouse_load_jobs_total', 1, { table });
    telemetry.count('warehouse_load_bytes_total', file.bytes.length, { table });
  }

  /** Resolves to false when the load is to be tried again at the next turn; rejects when trying is of no use. */
  async #later(error: unknown): Promise<false> {
    const { table, clock, limits, fits, signal, telemetry } = this.#options;
    // A build that is rolled out before its tables must not make dead letters of all that comes.
    if (error instanceof PermanentError && !(await fits())) {
      throw new FatalError(`table ${table} lacks what this build writes: provision it first`, { cause: error });
    }
    if (!(error instanceof TransientError) || signal.aborted) {
      throw error;
    }
    const pauseMs = error instanceof QuotaError ? limits.quotaPauseMs : limits.pauseMsMax;
    this.#nextLoadMs = Math.max(this.#nextLoadMs, clock.nowMs() + pauseMs);
    telemetry.count('warehouse_load_failures_total', 1, { table });
    telemetry.logger.warn('a load job failed and is tried again', { table, error: error.message });
    return false;
  }

  /** Loads of one process follow each other at a distance, since the service counts them. */
  async #turn(): Promise<void> {
    const { clock, limits, signal } = this.#options;
    const nowMs = clock.nowMs();
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

function stored(): true {
  return true;
}
