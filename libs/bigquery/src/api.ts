import { randomUUID } from 'node:crypto';
import { BigQuery, type BigQueryOptions } from '@google-cloud/bigquery';
import { TransientError } from '@meterflow/stage';
import { complaintOf, failureOf, type Complaint } from './failure.ts';
import type { WarehouseLimits } from './limits.ts';

export interface WarehouseLocation {
  readonly projectId: string;
  readonly dataset: string;
  /** Of the dataset: EU, US or a region. */
  readonly location: string;
  /** Where BigQuery is reached, if not at Google's own address. */
  readonly apiEndpoint?: string;
  /** Nothing that identifies us is sent: for a server of our own on this machine. */
  readonly anonymous?: boolean;
}

/** Thrown when what was to be made is there already. */
export class AlreadyThereError extends Error {
  override readonly name = 'AlreadyThereError';
}

/** Thrown when what was asked for is not there. */
export class NotThereError extends Error {
  override readonly name = 'NotThereError';
}

export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PATCH';
  /** Below the project. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
}

/**
 * BigQuery's REST interface over Google's client, which signs and sends. Each call is made once and within its time:
 * whoever makes it knows whether and how it may be made again. Rejects with AlreadyThereError, NotThereError, or what
 * `failureOf` makes of the answer.
 */
export class BigQueryApi {
  readonly location: WarehouseLocation;
  readonly #client: BigQuery;
  readonly #limits: WarehouseLimits;

  constructor(location: WarehouseLocation, limits: WarehouseLimits) {
    this.location = location;
    this.#limits = limits;
    this.#client = connect(location);
  }

  call({ method, path, query = {}, body }: ApiCall): Promise<unknown> {
    const json = body === undefined ? {} : { json: body };
    return this.#send({ method, uri: path, qs: query, ...json }, this.#limits.callMs);
  }

  /** Starts a job together with the file that it loads. */
  upload(job: object, file: Uint8Array): Promise<unknown> {
    const boundary = randomUUID();
    const head =
      `--${boundary}\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(job)}\r\n` +
      `--${boundary}\r\nContent-Type: application/octet-stream\r\n\r\n`;
    const request = {
      method: 'POST',
      uri: `${this.#client.apiEndpoint}/upload/bigquery/v2/projects/${this.location.projectId}/jobs`,
      qs: { uploadType: 'multipart' },
      headers: { 'Content-Type': `multipart/related; boundary=${boundary}` },
      body: Buffer.concat([Buffer.from(head), file, Buffer.from(`\r\n--${boundary}--\r\n`)]),
    };
    return this.#send(request, this.#limits.uploadMs);
  }

  /** The client's own time-out does not end a call that is never answered, so this one has its own. */
  async #send(request: Parameters<BigQuery['request']>[0], answerMs: number): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => {
      reject(new TransientError(`BigQuery: no answer within ${answerMs} ms`));
    }, answerMs);
    this.#client.request({ ...request, timeout: answerMs }, (error, body) => {
      if (error === null) {
        resolve(body);
      } else {
        reject(callFailure(complaintOf(error), error));
      }
    });
    return promise.finally(() => {
      clearTimeout(timer);
    });
  }
}

function callFailure(complaint: Complaint, cause: Error): Error {
  if (complaint.status === 409) {
    return new AlreadyThereError(complaint.message, { cause });
  }
  if (complaint.status === 404) {
    return new NotThereError(complaint.message, { cause });
  }
  return failureOf(complaint, { cause });
}

/** Google's client of a place. Opens no connection. */
export function connect({ projectId, location, apiEndpoint, anonymous = false }: WarehouseLocation): BigQuery {
  return new BigQuery({
    projectId,
    location,
    // It would repeat calls whose answer was lost behind our back, each after seconds.
    autoRetry: false,
    ...(apiEndpoint === undefined ? {} : { apiEndpoint }),
    ...(anonymous ? { authClient: nobody } : {}),
  });
}

const nobody = { getRequestHeaders: () => Promise.resolve(new Headers()) } as unknown as NonNullable<
  BigQueryOptions['authClient']
>;
