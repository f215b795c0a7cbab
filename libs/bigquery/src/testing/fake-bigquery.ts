import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { WarehouseLocation } from '../api.ts';
import type { TableSchema } from '../schema.ts';
import { DuckWarehouse } from './duck-warehouse.ts';

/** The calls that a warehouse makes. */
export type FakeCall = 'upload' | 'statement' | 'look' | 'metadata';

/** What happens to one call, instead of its answer. */
export type Fault =
  | { readonly status: number; readonly reason: string }
  /** The work is done, the answer never comes. */
  | 'lost answer'
  /** Nothing happens, for ever. */
  | 'silence'
  /** The connection breaks before anything is done. */
  | 'reset'
  /** The job is taken and fails. */
  | { readonly job: string };

interface Resource {
  readonly schema?: { fields: { name: string; type: string; mode: string }[] };
  readonly timePartitioning?: { type: string; field: string };
  readonly clustering?: { fields: string[] };
  readonly view?: { query: string };
  readonly materializedView?: { query: string };
  readonly definitionBody?: string;
}

interface FakeJob {
  readonly configuration: Readonly<Record<string, unknown>>;
  looksLeft: number;
  errorResult?: { reason: string; message: string };
  affected: number;
}

const project = 'a-project';
const dataset = 'metering';

/**
 * The part of BigQuery's REST interface that a warehouse uses, stricter than any emulator: a job's name is taken once,
 * a call must be complete, tables must be there. Rows are kept in DuckDB. Faults strike the next calls of their kind.
 */
export class FakeBigQuery {
  readonly duck: DuckWarehouse;
  readonly jobs = new Map<string, FakeJob>();
  readonly calls: FakeCall[] = [];
  /** How often a job is looked at before it has ended. */
  looks = 1;
  readonly #server: Server;
  readonly #faults: { readonly call: FakeCall; readonly fault: Fault }[] = [];
  readonly #resources = new Map<string, Resource>();

  private constructor(server: Server, duck: DuckWarehouse) {
    this.#server = server;
    this.duck = duck;
  }

  static async start(): Promise<FakeBigQuery> {
    const server = createServer();
    const fake = new FakeBigQuery(server, await DuckWarehouse.open());
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      fake.#answer(request, response).catch((error: unknown) => {
        refuse(response, { status: 400, reason: 'invalid', message: String(error) });
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return fake;
  }

  get location(): WarehouseLocation {
    const { port } = this.#server.address() as AddressInfo;
    const apiEndpoint = `http://127.0.0.1:${port}`;
    return { projectId: project, dataset, location: 'EU', apiEndpoint, anonymous: true };
  }

  /** The next call of this kind meets the fault; several meet theirs in their order. */
  strike(call: FakeCall, ...faults: readonly Fault[]): void {
    this.#faults.push(...faults.map((fault) => ({ call, fault })));
  }

  table(name: string): Resource | undefined {
    return this.#resources.get(name);
  }

  /** Makes a table as another build would have it. */
  keep(table: TableSchema): void {
    this.#resources.set(dataset, {});
    this.#resources.set(table.name, {
      schema: {
        fields: table.columns.map(({ name, type, added }) => ({ name, type, mode: added ? 'NULLABLE' : 'REQUIRED' })),
      },
      ...(table.partition === undefined
        ? {}
        : { timePartitioning: { type: table.partition.by, field: table.partition.column } }),
      clustering: { fields: [...table.cluster] },
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
    this.duck.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://fake');
    const parts: Buffer[] = [];
    for await (const part of request) {
      parts.push(part as Buffer);
    }
    const body = Buffer.concat(parts);
    const call = kindOf(request.method ?? '', url.pathname);
    this.calls.push(call);
    const fault = this.#take(call);
    if (fault === 'silence') {
      return;
    }
    if (fault === 'reset') {
      request.socket.destroy();
      return;
    }
    if (typeof fault === 'object' && 'status' in fault) {
      refuse(response, { ...fault, message: `struck by ${fault.reason}` });
      return;
    }
    const answer = await this.#serve({
      call,
      method: request.method ?? '',
      url,
      body,
      type: request.headers['content-type'] ?? '',
      fault,
    });
    if (fault === 'lost answer') {
      request.socket.destroy();
      return;
    }
    if ('error' in answer) {
      refuse(response, answer.error);
      return;
    }
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer.json));
  }

  #take(call: FakeCall): Fault | undefined {
    const index = this.#faults.findIndex((struck) => struck.call === call);
    return index < 0 ? undefined : this.#faults.splice(index, 1)[0]?.fault;
  }

  #serve(received: Received): Promise<Answer> | Answer {
    switch (received.call) {
      case 'upload': {
        const { metadata, media } = multipart(received.body, received.type);
        return this.#insert(metadata, received.fault, () => this.#load(metadata, media));
      }
      case 'statement': {
        const metadata = JSON.parse(received.body.toString()) as JobRequest;
        return this.#insert(metadata, received.fault, () => this.#execute(metadata));
      }
      case 'look':
        return this.#look(received.url);
      case 'metadata':
        return this.#metadata(received);
    }
  }

  async #insert(
    { jobReference, configuration }: JobRequest,
    fault: Fault | undefined,
    work: () => Promise<number>,
  ): Promise<Answer> {
    const { projectId, jobId, location } = jobReference ?? {};
    if (projectId !== project || location !== 'EU' || !/^[\w-]{1,1024}$/.test(jobId ?? '')) {
      return failed(400, 'invalid', 'a job needs a project, a name and a location');
    }
    if (this.jobs.has(jobId as string)) {
      return failed(409, 'duplicate', `Already Exists: Job ${jobId}`);
    }
    const job: FakeJob = {
      configuration: configuration,
      looksLeft: this.looks,
      affected: 0,
    };
    this.jobs.set(jobId as string, job);
    try {
      if (typeof fault === 'object' && 'job' in fault) {
        job.errorResult = { reason: fault.job, message: `ended by ${fault.job}` };
      } else {
        job.affected = await work();
      }
    } catch (error) {
      job.errorResult = { reason: 'invalid', message: String(error) };
    }
    return { json: this.#shown(jobId as string, job) };
  }

  async #load({ configuration }: JobRequest, media: Uint8Array): Promise<number> {
    const load = configuration['load'] as Record<string, unknown>;
    const { tableId } = load['destinationTable'] as { tableId: string };
    if (load['sourceFormat'] !== 'PARQUET' || load['writeDisposition'] !== 'WRITE_APPEND') {
      throw new Error('the fake takes Parquet to append');
    }
    await this.duck.load(tableId, media);
    return 0;
  }

  async #execute({ configuration }: JobRequest): Promise<number> {
    const {
      query: sql,
      useLegacySql,
      queryParameters = [],
    } = configuration['query'] as {
      query: string;
      useLegacySql: boolean;
      queryParameters?: { name: string; parameterType: { type: string }; parameterValue: { value: string } }[];
    };
    if (useLegacySql) {
      throw new Error('the fake speaks no legacy SQL');
    }
    const plain = sql.replaceAll(`\`${project}.${dataset}.`, '`');
    if (/^(INSERT|DELETE)/.test(plain)) {
      const unused = queryParameters.find(({ name }) => !plain.includes(`@${name}`));
      if (unused !== undefined) {
        throw new Error(`parameter ${unused.name} is not used`);
      }
      const rows = await this.duck.run(
        plain,
        Object.fromEntries(queryParameters.map(({ name, parameterValue }) => [name, parameterValue.value])),
      );
      return Number(rows[0]?.[0] ?? 0);
    }
    this.#define(sql, plain);
    return 0;
  }

  /** Keeps what a statement defines; the queries themselves are in DuckDB from the start. */
  #define(sql: string, plain: string): void {
    const [, verb = '', name = ''] = /^([A-Z ]+?)(?: IF (?:NOT )?EXISTS)? `([^`]+)`/.exec(plain) ?? [];
    const query = sql.slice(sql.search(/\bAS\n/) + 3);
    switch (verb) {
      case 'CREATE TABLE':
        this.#resources.set(name, tableOf(plain));
        return;
      case 'CREATE OR REPLACE VIEW':
        this.#resources.set(name, { view: { query } });
        return;
      case 'CREATE MATERIALIZED VIEW':
        this.#resources.set(name, { materializedView: { query } });
        return;
      case 'CREATE OR REPLACE TABLE FUNCTION':
        this.#resources.set(name, { definitionBody: query });
        return;
      case 'DROP MATERIALIZED VIEW':
        this.#resources.delete(name);
        return;
      case 'ALTER TABLE':
        this.#resources.get(name)?.schema?.fields.push(addedField(plain));
        return;
      default:
        throw new Error(`the fake does not know ${plain}`);
    }
  }

  #look(url: URL): Answer {
    const jobId = url.pathname.split('/').at(-1) as string;
    const job = this.jobs.get(jobId);
    if (job === undefined || url.searchParams.get('location') !== 'EU') {
      return failed(404, 'notFound', `Not found: Job ${jobId}`);
    }
    job.looksLeft -= 1;
    return { json: this.#shown(jobId, job) };
  }

  #shown(jobId: string, job: FakeJob): object {
    const done = job.looksLeft <= 0;
    return {
      jobReference: { projectId: project, jobId, location: 'EU' },
      status: {
        state: done ? 'DONE' : 'RUNNING',
        ...(done && job.errorResult ? { errorResult: job.errorResult } : {}),
      },
      statistics: { query: { numDmlAffectedRows: String(job.affected) } },
    };
  }

  #metadata({ method, url, body }: Received): Answer {
    const name = url.pathname.split('/').at(-1) as string;
    if (method === 'POST') {
      const { datasetReference } = JSON.parse(body.toString()) as { datasetReference: { datasetId: string } };
      this.#resources.set(datasetReference.datasetId, {});
      return { json: {} };
    }
    const found = this.#resources.get(name);
    return found === undefined ? failed(404, 'notFound', `Not found: ${name}`) : { json: found };
  }
}

interface Received {
  readonly call: FakeCall;
  readonly method: string;
  readonly url: URL;
  readonly body: Buffer;
  readonly type: string;
  readonly fault: Fault | undefined;
}

interface JobRequest {
  readonly jobReference?: { readonly projectId?: string; readonly jobId?: string; readonly location?: string };
  readonly configuration: Readonly<Record<string, unknown>>;
}

type Answer = { readonly json: object } | { readonly error: Refusal };

interface Refusal {
  readonly status: number;
  readonly reason: string;
  readonly message: string;
}

function failed(status: number, reason: string, message: string): Answer {
  return { error: { status, reason, message } };
}

function refuse(response: ServerResponse, { status, reason, message }: Refusal): void {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ error: { code: status, message, errors: [{ reason, message, domain: 'global' }] } }));
}

function kindOf(method: string, path: string): FakeCall {
  if (path.startsWith('/upload/')) {
    return 'upload';
  }
  if (/\/jobs(\/|$)/.test(path)) {
    return method === 'POST' ? 'statement' : 'look';
  }
  return 'metadata';
}

function multipart(body: Buffer, type: string): { metadata: JobRequest; media: Buffer } {
  const boundary = `--${/boundary=(\S+)/.exec(type)?.[1] ?? 'none'}`;
  const second = body.indexOf(boundary, boundary.length);
  const end = body.lastIndexOf(`\r\n${boundary}--`);
  const content = (from: number, to: number): Buffer => body.subarray(body.indexOf('\r\n\r\n', from) + 4, to);
  return { metadata: JSON.parse(content(0, second - 2).toString()) as JobRequest, media: content(second, end) };
}

function addedField(sql: string): { name: string; type: string; mode: string } {
  const [, name = '', type = ''] = /ADD COLUMN IF NOT EXISTS `(\w+)` (\w+)/.exec(sql) ?? [];
  return { name, type, mode: 'NULLABLE' };
}

function tableOf(sql: string): Resource {
  const columns = [...sql.matchAll(/^ {2}`(\w+)` (\w+)( NOT NULL)?/gm)];
  const [, field, type] = /PARTITION BY TIMESTAMP_TRUNC\((\w+), (\w+)\)/.exec(sql) ?? [];
  const cluster = /CLUSTER BY (.+)/.exec(sql)?.[1] ?? '';
  return {
    // The service answers with its older names.
    schema: {
      fields: columns.map(([, name = '', kind = '', required]) => ({
        name,
        type: kind === 'INT64' ? 'INTEGER' : kind,
        mode: required === undefined ? 'NULLABLE' : 'REQUIRED',
      })),
    },
    ...(field === undefined || type === undefined ? {} : { timePartitioning: { type, field } }),
    clustering: { fields: cluster.split(', ') },
  };
}
