import { existsSync } from 'node:fs';
import { dataDirectory, runningServer, type DataDirectory } from '@meterflow/embedded';
import { createTelemetry } from '@meterflow/telemetry';
import { lanes } from '@meterflow/contracts';
import { CommandError, type GlobalOptions } from '../cli-context.ts';
import { serviceNames, type ServiceName } from '../server/services.ts';
import { localSocket } from '../server/sockets.ts';
import { startServer, type EmbeddedServer } from '../server/start-server.ts';
import { supervisionFrom } from '../server/supervision.ts';
import { LocalClient } from './local-client.ts';

/** The services of a server, by the socket of whoever owns the data directory. */
export interface ServerClients {
  readonly directory: DataDirectory;
  readonly ingest: LocalClient;
  readonly control: LocalClient;
}

/** Which services a command needs when no server runs: one that only asks needs none of the stages. */
export const askingServices: readonly ServiceName[] = ['control'];
export const allServices: readonly ServiceName[] = serviceNames;

/**
 * {@link withServer} for a command that only asks: a directory that is not there is a mistyped one, and not to be made.
 */
export function askServer<Result>(
  globals: GlobalOptions,
  work: (clients: ServerClients) => Promise<Result>,
): Promise<Result> {
  if (!existsSync(globals.dataDir)) {
    const how = '`meterflow import` and `meterflow dev` make one; --data-dir names another';
    return Promise.reject(new CommandError('data-missing', `there is no data directory ${globals.dataDir}; ${how}`));
  }
  return withServer(globals, askingServices, work);
}

/**
 * Does `work` with the server of the data directory: the one that runs, or else one started for this command alone,
 * which is drained and ended afterwards. The answers are the same.
 */
export async function withServer<Result>(
  { dataDir, logLevel }: GlobalOptions,
  services: readonly ServiceName[],
  work: (clients: ServerClients) => Promise<Result>,
): Promise<Result> {
  const directory = dataDirectory(dataDir);
  const clients = {
    directory,
    ingest: new LocalClient(localSocket(directory, 'ingest')),
    control: new LocalClient(localSocket(directory, 'control')),
  };
  if (runningServer(dataDir) !== undefined) {
    return work(clients);
  }
  const { logger } = createTelemetry({ service: 'meterflow', level: logLevel });
  const supervision = supervisionFrom(process.env);
  const starting = startServer({ dataDir, lanes, services, supervision, logger, logLevel });
  const untie = stopOnSignal(starting);
  try {
    await starting;
    return await work(clients);
  } finally {
    await starting.then((server) => server.stop());
    untie();
  }
}

const signalNumbers = { SIGINT: 2, SIGTERM: 15 } as const;

/** A signal drains the server and ends the command unfinished: 128 + the signal's number, as shells have it. */
function stopOnSignal(starting: Promise<EmbeddedServer>): () => void {
  const unties = (['SIGINT', 'SIGTERM'] as const).map((signal) => {
    const stop = (): void => {
      const exit = (): void => process.exit(128 + signalNumbers[signal]);
      void starting.then((server) => server.stop()).then(exit, exit);
    };
    process.once(signal, stop);
    return () => process.off(signal, stop);
  });
  return () => {
    unties.forEach((untie) => untie());
  };
}
