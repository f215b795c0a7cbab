import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { localCredential } from '@meterflow/http';
import { repositoryRoot } from '../repository.ts';

/** A running `meterflow dev`, started as anybody starts it. */
export interface DevServer {
  readonly pid: number;
  readonly dataDir: string;
  stop(): Promise<void>;
}

export async function startDevServer(dataDir: string): Promise<DevServer> {
  const entry = join(repositoryRoot, 'apps/meterflow/bin/meterflow.mjs');
  const child = spawn(process.execPath, [entry, 'dev', '--json', '--port', '0', '--data-dir', dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await firstLine(child);
  return {
    pid: child.pid as number,
    dataDir,
    stop: async () => {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

async function firstLine(child: ChildProcess): Promise<void> {
  for await (const _ of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    return;
  }
  throw new Error('meterflow dev ended before it was ready');
}

/** Imports a file and returns its source's id once all of it is on the bus. */
export async function importInto(server: DevServer, file: string): Promise<string> {
  const body = JSON.stringify({ path: file });
  const headers = {
    authorization: `Bearer ${localCredential('operator', 'default')}`,
    'content-type': 'application/json',
  };
  const socketPath = join(server.dataDir, 'run/ingest.local.sock');
  const answer = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
    request({ socketPath, method: 'POST', path: '/v1/imports', headers }, resolve).on('error', reject).end(body);
  });
  let last: { sourceId?: string; error?: string } = {};
  for await (const line of createInterface({ input: answer })) {
    last = JSON.parse(line) as typeof last;
  }
  if (last.sourceId === undefined) {
    throw new Error(`the import failed: ${last.error ?? 'no answer'}`);
  }
  return last.sourceId;
}
