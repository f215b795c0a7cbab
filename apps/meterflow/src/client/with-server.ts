import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { dataDirectory, DirectoryInUseError, runningServer, type DataDirectory } from '@meterflow/embedded';
import { createTelemetry } from '@meterflow/telemetry';
import { lanes } from '@meterflow/contracts';
import { CommandError, type GlobalOptions } from '../cli-context.ts';
import { serviceNames, type ServiceName } from '../server/services.ts';
import { localSocket } from '../server/sockets.ts';
import { startServer, type EmbeddedServer } from '../server/start-server.ts';
import { supervisionFrom } from '../server/supervision.ts';
import { isUnanswered, LocalClient } from './local-client.ts';

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
 *
 * A server that another command started ends with that command. Who only asks may ask it, and asks anew where it ends too
 * early; any other work waits until the directory is free.
 */
export async function withServer<Result>(
  globals: GlobalOptions,
  services: readonly ServiceName[],
  work: (clients: ServerClients) => Promise<Result>,
): Promise<Result> {
  const asksOnly = services.every((name) => askingServices.includes(name));
  const patience = new DirectoryPatience(globals);
  for (;;) {
    const running = runningServer(globals.dataDir);
    if (running === undefined) {
      const done = await withOwnServer(globals, services, work);
      if (done !== 'in-use') {
        return done.result;
      }
    } else if (running.socket !== '') {
      return work(clientsOf(globals.dataDir));
    } else if (asksOnly) {
      const done = await askingAnother(globals, work, patience);
      if (done !== undefined) {
        return done.result;
      }
    }
    await patience.wait(running?.pid);
  }
}

function clientsOf(dataDir: string, options: { readonly connectMsMax?: number } = {}): ServerClients {
  const directory = dataDirectory(dataDir);
  return {
    directory,
    ingest: new LocalClient(localSocket(directory, 'ingest'), options),
    control: new LocalClient(localSocket(directory, 'control'), options),
  };
}

/** With a server of its own; `in-use` where another was quicker to take the directory. */
async function withOwnServer<Result>(
  { dataDir, logLevel }: GlobalOptions,
  services: readonly ServiceName[],
  work: (clients: ServerClients) => Promise<Result>,
): Promise<{ readonly result: Result } | 'in-use'> {
  const { logger } = createTelemetry({ service: 'meterflow', level: logLevel });
  const supervision = supervisionFrom(process.env);
  const starting = startServer({ dataDir, lanes, services, supervision, logger, logLevel });
  const untie = stopOnSignal(starting);
  try {
    const { givenUp } = await starting;
    return { result: await Promise.race([work(clientsOf(dataDir)), givenUp]) };
  } catch (error) {
    if (error instanceof DirectoryInUseError) {
      return 'in-use';
    }
    throw error;
  } finally {
    await starting.then(
      (server) => server.stop(),
      () => undefined,
    );
    untie();
  }
}
/** Shorter than elsewhere: between two tries it is looked whether the server is still there. */
const askAgainMs = 1_000;

/** With the server that another command started for itself; undefined where it did not answer to the end. */
async function askingAnother<Result>(
  { dataDir }: GlobalOptions,
  work: (clients: ServerClients) => Promise<Result>,
  patience: DirectoryPatience,
): Promise<{ readonly result: Result } | undefined> {
  try {
    return { result: await work(clientsOf(dataDir, { connectMsMax: askAgainMs })) };
  } catch (error) {
    patience.bear(error);
    return undefined;
  }
}

const lookAgainMs = 50;
/** A wait that is shorter is not worth a word. */
const silentMsMax = 1_000;
/** So long may a server that another command started leave questions without an answer. */
const unansweredMsMax = 15_000;

/** Waits for the command that has the directory now, and says so where it takes long. */
class DirectoryPatience {
  readonly #globals: GlobalOptions;
  readonly #sinceMs = performance.now();
  #told = false;

  constructor(globals: GlobalOptions) {
    this.#globals = globals;
  }

  async wait(pid: number | undefined): Promise<void> {
    if (!this.#told && performance.now() - this.#sinceMs > silentMsMax) {
      this.#told = true;
      const { logger } = createTelemetry({ service: 'meterflow', level: this.#globals.logLevel });
      logger.warn('another command works on the data directory; waiting for its end', { process: pid });
    }
    await sleep(lookAgainMs);
  }

  /** Throws the error when it is not that the server ended or has not started yet, or when that lasts too long. */
  bear(error: unknown): void {
    if (!isUnanswered(error) || performance.now() - this.#sinceMs > unansweredMsMax) {
      throw error;
    }
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
