import { FatalError, TransientError, type Clock } from '@meterflow/stage';
import { AlreadyThereError, NotThereError, type BigQueryApi } from './api.ts';
import { failureOf } from './failure.ts';
import type { WarehouseLimits } from './limits.ts';

export interface JobsOptions {
  readonly api: BigQueryApi;
  readonly clock: Clock;
  readonly limits: WarehouseLimits;
  /** A name that no other job of the project has. */
  readonly newId: () => string;
}

/** A named parameter of a statement. */
export interface Parameter {
  readonly type: 'STRING' | 'INT64' | 'TIMESTAMP';
  readonly value: string;
}

/** What we read of a job as BigQuery tells of it. */
interface Job {
  readonly status?: {
    readonly state?: string;
    readonly errorResult?: { readonly reason?: string; readonly message?: string };
  };
  readonly statistics?: { readonly query?: { readonly numDmlAffectedRows?: string } };
}

/**
 * Runs jobs to their end. We name each job, so that asking for it again, because an answer was lost, never makes a
 * second one. Rejects as `failureOf` says; with TransientError also when the job takes longer than `jobMs`, and may
 * then still have its effect.
 */
export class Jobs {
  readonly #options: JobsOptions;

  constructor(options: JobsOptions) {
    this.#options = options;
  }

  /** Appends a Parquet file to a table. */
  async load(table: string, file: Uint8Array): Promise<void> {
    const { projectId, dataset } = this.#options.api.location;
    const load = {
      destinationTable: { projectId, datasetId: dataset, tableId: table },
      sourceFormat: 'PARQUET',
      writeDisposition: 'WRITE_APPEND',
      createDisposition: 'CREATE_NEVER',
      decimalTargetTypes: ['NUMERIC'],
    };
    await this.#run((jobReference) => this.#options.api.upload({ jobReference, configuration: { load } }, file));
  }

  /** Runs a statement; resolves to the number of rows that it changed. */
  async execute(statement: string, parameters: Readonly<Record<string, Parameter>> = {}): Promise<number> {
    const queryParameters = Object.entries(parameters).map(([name, { type, value }]) => ({
      name,
      parameterType: { type },
      parameterValue: { value },
    }));
    const query = {
      query: statement,
      useLegacySql: false,
      ...(queryParameters.length === 0 ? {} : { parameterMode: 'NAMED', queryParameters }),
    };
    const body = { configuration: { query } };
    const job = await this.#run((jobReference) =>
      this.#options.api.call({ method: 'POST', path: '/jobs', body: { ...body, jobReference } }),
    );
    return Number(job.statistics?.query?.numDmlAffectedRows ?? 0);
  }

  async #run(ask: (jobReference: object) => Promise<unknown>): Promise<Job> {
    const { api, clock, limits, newId } = this.#options;
    const { projectId, location } = api.location;
    const jobId = newId();
    const untilMs = clock.nowMs() + limits.jobMs;
    let job = await this.#ask(() => ask({ projectId, jobId, location }));
    for (
      let pauseMs = limits.pauseMs;
      job?.status?.state !== 'DONE';
      pauseMs = Math.min(pauseMs * 2, limits.pauseMsMax)
    ) {
      if (clock.nowMs() >= untilMs) {
        throw new TransientError(`BigQuery: job ${jobId} has not ended within ${limits.jobMs} ms`);
      }
      await clock.sleep(pauseMs);
      job = await this.#look(jobId).catch(unlessLater);
    }
    const { errorResult } = job.status;
    if (errorResult !== undefined) {
      const { reason, message = 'the job failed' } = errorResult;
      throw failureOf({ message, ...(reason === undefined ? {} : { reason }) });
    }
    return job;
  }

  /** Asks for the job until it is known to be there. */
  async #ask(ask: () => Promise<unknown>): Promise<Job | undefined> {
    const { clock, limits } = this.#options;
    for (let asked = 1, pauseMs = limits.pauseMs; ; asked++, pauseMs = Math.min(pauseMs * 2, limits.pauseMsMax)) {
      try {
        return (await ask()) as Job;
      } catch (error) {
        if (error instanceof AlreadyThereError) {
          return undefined;
        }
        if (error instanceof NotThereError) {
          throw new FatalError(`BigQuery: ${error.message}`, { cause: error });
        }
        if (!(error instanceof TransientError) || asked >= limits.askMax) {
          throw error;
        }
      }
      await clock.sleep(pauseMs);
    }
  }

  async #look(jobId: string): Promise<Job> {
    const { api } = this.#options;
    const { location } = api.location;
    return (await api.call({ method: 'GET', path: `/jobs/${jobId}`, query: { location } })) as Job;
  }
}

/** Looking again later may help, also where a job just begun is not to be found yet; the job's own time limit ends it. */
function unlessLater(error: unknown): undefined {
  if (!(error instanceof TransientError || error instanceof NotThereError)) {
    throw error;
  }
  return undefined;
}
