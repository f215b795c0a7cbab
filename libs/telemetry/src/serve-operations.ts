import { chmod, mkdir, rm } from 'node:fs/promises';
import type { RequestListener, Server } from 'node:http';
import { dirname } from 'node:path';
import { createServer } from './node-http.ts';
import { prometheusContentType } from './prometheus-text.ts';

/** A unix socket of whoever owns its folder, or a port that only the platform's own network reaches. */
export type OperationsAddress = { readonly socket: string } | { readonly host: string; readonly port: number };

/** What a process tells whoever runs it. */
export interface OperationsProbe {
  /** Why it does no work any more; undefined while it does. */
  readonly notLive: () => string | undefined;
  /** Why work should go elsewhere; undefined when it may come. */
  readonly notReady: () => string | undefined;
  /** Prometheus text. */
  readonly metrics: () => string;
}

const connectionsMax = 64;

/**
 * Answers `/livez`, `/readyz` and `/metrics`, without credentials: what asks is the platform. Resolves when it listens,
 * with what closes it.
 */
export async function serveOperations(
  address: OperationsAddress,
  probe: OperationsProbe,
): Promise<() => Promise<void>> {
  const server = createServer(answer(probe));
  server.maxConnections = connectionsMax;
  if ('socket' in address) {
    await mkdir(dirname(address.socket), { recursive: true, mode: 0o700 });
    // A killed process leaves its socket's file. Nobody else has this name.
    await rm(address.socket, { force: true });
    await listening(server, { path: address.socket });
    await chmod(address.socket, 0o600);
  } else {
    await listening(server, address);
  }
  // Telling how it goes keeps no process alive.
  server.unref();
  return () =>
    new Promise((resolve) => {
      server.close(() => {
        resolve();
      });
      server.closeAllConnections();
    });
}

function answer({ notLive, notReady, metrics }: OperationsProbe): RequestListener {
  return ({ url, method }, response) => {
    const health = (reason: string | undefined): void => {
      const body = JSON.stringify(reason === undefined ? { status: 'ok' } : { status: 'failing', reason });
      response.writeHead(reason === undefined ? 200 : 503, { 'content-type': 'application/json' }).end(body);
    };
    const answers: Readonly<Record<string, () => void>> = {
      '/livez': () => {
        health(notLive());
      },
      '/readyz': () => {
        health(notReady());
      },
      '/metrics': () => {
        response.writeHead(200, { 'content-type': prometheusContentType }).end(metrics());
      },
    };
    const known = method === 'GET' && Object.hasOwn(answers, url ?? '') ? answers[url ?? ''] : undefined;
    if (known === undefined) {
      response.writeHead(404).end();
    } else {
      known();
    }
  };
}

function listening(server: Server, where: { path: string } | { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(where, () => {
      resolve();
    });
  });
}
