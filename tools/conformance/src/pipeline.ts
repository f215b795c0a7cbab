import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { localCredential } from '@meterflow/http';
import type { Receipt } from '@meterflow/receipts';
import type { Role } from '@meterflow/registry';
import { repositoryRoot } from './repository.ts';

export interface Call {
  readonly service: 'ingest' | 'control';
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly path: string;
  readonly tenant: string;
  readonly role: Role;
  /** Bytes go as they are, with their type; all else as JSON. */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** The whole pipeline on the files of one folder: `meterflow dev`, started as anybody starts it. */
export class Pipeline {
  readonly #folder: string;
  readonly #dataDir: string;
  readonly #child: ChildProcess;

  private constructor(folder: string, dataDir: string, child: ChildProcess) {
    this.#folder = folder;
    this.#dataDir = dataDir;
    this.#child = child;
  }

  /** Resolves once every service answers. */
  static async start(): Promise<Pipeline> {
    const folder = await mkdtemp(join(tmpdir(), 'conformance-'));
    const dataDir = join(folder, 'data');
    const entry = join(repositoryRoot, 'apps/meterflow/bin/meterflow.mjs');
    const child = spawn(process.execPath, [entry, 'dev', '--json', '--port', '0', '--data-dir', dataDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await firstLine(child);
    return new Pipeline(folder, dataDir, child);
  }

  /** Asks a service over the socket that its owner uses. */
  async ask(call: Call): Promise<Answer> {
    const answer = await this.stream(call);
    return { status: answer.statusCode ?? 0, text: await text(answer) };
  }

  /** The same where the answer may be long: it comes as it is read. */
  stream(call: Call): Promise<IncomingMessage> {
    const { service, method, path, tenant, role, body, contentType = 'application/json' } = call;
    const headers = {
      authorization: `Bearer ${localCredential(role, tenant)}`,
      ...(body === undefined ? {} : { 'content-type': contentType }),
      ...call.headers,
    };
    const socketPath = join(this.#dataDir, `run/${service}.local.sock`);
    return new Promise((resolve, reject) => {
      request({ socketPath, method, path, headers }, resolve)
        .on('error', reject)
        .end(body === undefined || body instanceof Uint8Array ? body : JSON.stringify(body));
    });
  }

  /** The same where only success will do; the answer's JSON. */
  async must(call: Call): Promise<unknown> {
    const { status, text: told } = await this.ask(call);
    if (status >= 300) {
      throw new Error(`${call.method} ${call.path}: ${status} ${told}`);
    }
    return told === '' ? undefined : JSON.parse(told);
  }

  async createTenant(name: string, timeZone = 'UTC'): Promise<void> {
    const body = { name, series: { timeZone } };
    await this.must({ service: 'control', method: 'POST', path: '/v1/tenants', tenant: name, role: 'operator', body });
  }

  /** The receipt, once all of the source is stored and aggregated. */
  async completed(tenant: string, sourceId: string): Promise<Receipt> {
    const path = `/v1/sources/${encodeURIComponent(sourceId)}?waitSeconds=60`;
    for (;;) {
      const receipt = (await this.must({
        service: 'control',
        method: 'GET',
        path,
        tenant,
        role: 'operator',
      })) as Receipt;
      if (receipt.state === 'complete') {
        return receipt;
      }
    }
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await once(this.#child, 'exit');
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A pipeline that starts when the first case asks for it: what is pure needs none. */
export class PipelineOnDemand {
  #started: Promise<Pipeline> | undefined;

  /** Called by any number of cases at the same time. */
  readonly started = (): Promise<Pipeline> => (this.#started ??= Pipeline.start());

  async stop(): Promise<void> {
    await (await this.#started)?.stop();
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    return line;
  }
  throw new Error('meterflow dev ended before it was ready');
}
