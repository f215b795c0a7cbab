import { request } from 'node:http';
import { join } from 'node:path';
import { localCredential } from '@meterflow/http';

export interface LocalCall {
  readonly dataDir: string;
  readonly service: 'ingest' | 'control';
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
}

/** Calls a service of the server on this machine. Rejects when it ends meanwhile or is not there. */
export function callLocally(call: LocalCall): Promise<{ readonly status: number; readonly text: string }> {
  const { dataDir, service, method = 'GET', path, body } = call;
  const headers = {
    authorization: `Bearer ${localCredential('operator', 'default')}`,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  const socketPath = join(dataDir, 'run', `${service}.local.sock`);
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method, path, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, text });
      });
      answer.on('error', reject);
    });
    outgoing.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** How many messages wait, on whatever subscription; undefined when the server does not answer. */
export async function messagesWaiting(dataDir: string): Promise<number | undefined> {
  try {
    const { status, text } = await callLocally({ dataDir, service: 'control', path: '/v1/status' });
    return status === 200 ? (JSON.parse(text) as { backlogMessages: number }).backlogMessages : undefined;
  } catch {
    return undefined;
  }
}
