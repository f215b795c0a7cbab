import { chmod, mkdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { FastifyInstance } from 'fastify';

export type Address = { readonly host: string; readonly port: number } | { readonly socket: string };

/** Thrown when a server can't listen where it was told. The message says which flag changes that. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/** What the kernel takes for the path of a unix socket, less its ending zero. */
const socketPathBytesMax = 107;

/** Listens, and returns where: a URL, or the socket's path. Throws {@link ListenError}. */
export async function listen(server: FastifyInstance, address: Address): Promise<string> {
  return 'socket' in address ? listenOnSocket(server, address.socket) : listenOnPort(server, address);
}

async function listenOnPort(server: FastifyInstance, { host, port }: { host: string; port: number }): Promise<string> {
  try {
    return await server.listen({ host, port });
  } catch (error) {
    throw listenError(error, `${host}:${port}`);
  }
}

async function listenOnSocket(server: FastifyInstance, path: string): Promise<string> {
  if (Buffer.byteLength(path) > socketPathBytesMax) {
    throw new ListenError(`${path} is too long for a socket's path; choose a shorter directory with --data-dir.`);
  }
  try {
    // A container begins with an empty data directory, and no server made this folder before.
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // A killed server leaves its socket's file; nobody answers there.
    if (!(await answers(path))) {
      await rm(path, { force: true });
    }
    await server.listen({ path });
    await chmod(path, 0o600);
    return path;
  } catch (error) {
    throw listenError(error, path);
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    const end = (answered: boolean) => (): void => {
      probe.destroy();
      resolve(answered);
    };
    probe.once('connect', end(true)).once('error', end(false));
  });
}

function listenError(error: unknown, where: string): Error {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  const cause = { cause: error };
  switch (code) {
    case 'EADDRINUSE':
      return new ListenError(`${where} is taken by another program. Choose another port with --port.`, cause);
    case 'EACCES':
    case 'EPERM':
      return new ListenError(`${where} may not be used by this user. Choose a port above 1023 with --port.`, cause);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new ListenError(`${where} is no address of this machine. Choose another with --host.`, cause);
    default:
      return error instanceof Error ? error : new Error(String(error));
  }
}
