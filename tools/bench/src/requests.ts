import { request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { localCredential } from '@meterflow/http';
import type { Receipt } from '@meterflow/receipts';
import type { DevServer } from './dev-server.ts';

export interface LocalRequest {
  readonly service: 'ingest' | 'control';
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly role: 'operator' | 'provider' | 'customer';
  /** A string is CSV, all else JSON. */
  readonly body?: string | object;
}

/** Asks a service over the socket that its owner uses; the answer's body. */
export async function send({ dataDir }: Pick<DevServer, 'dataDir'>, asked: LocalRequest): Promise<string> {
  const { service, method, path, role, body } = asked;
  const headers = {
    authorization: `Bearer ${localCredential(role, 'default')}`,
    ...(body === undefined ? {} : { 'content-type': typeof body === 'string' ? 'text/csv' : 'application/json' }),
  };
  const socketPath = join(dataDir, `run/${service}.local.sock`);
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ socketPath, method, path, headers }, resolve)
      .on('error', reject)
      .end(typeof body === 'object' ? JSON.stringify(body) : body);
  });
  const told = await text(answer);
  if (answer.statusCode !== 200) {
    throw new Error(`${method} ${path}: ${answer.statusCode ?? 0} ${told}`);
  }
  return told;
}

/** Imports a file and returns its source's id once all of it is on the bus. */
export async function importInto(server: DevServer, path: string): Promise<string> {
  const told = await send(server, {
    service: 'ingest',
    method: 'POST',
    path: '/v1/imports',
    role: 'operator',
    body: { path },
  });
  const last = JSON.parse(told.trim().split('\n').at(-1) ?? '{}') as { sourceId?: string; error?: string };
  if (last.sourceId === undefined) {
    throw new Error(`the import failed: ${last.error ?? 'no answer'}`);
  }
  return last.sourceId;
}

/** Pushes lines of a CSV and returns the source's id: all of it is durable then. */
export async function push(server: DevServer, csv: string): Promise<string> {
  const told = await send(server, {
    service: 'ingest',
    method: 'POST',
    path: '/v1/readings',
    role: 'provider',
    body: csv,
  });
  return (JSON.parse(told) as { readonly sourceId: string }).sourceId;
}

/** The receipt, once the source is stored and aggregated as a whole. */
export async function completed(server: DevServer, sourceId: string): Promise<Receipt> {
  const path = `/v1/sources/${sourceId}?waitSeconds=60`;
  for (;;) {
    const told = await send(server, { service: 'control', method: 'GET', path, role: 'operator' });
    const receipt = JSON.parse(told) as Receipt;
    if (receipt.state === 'complete') {
      return receipt;
    }
  }
}
