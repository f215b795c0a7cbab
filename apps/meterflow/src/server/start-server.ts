import { mkdirSync } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dataDirectory, lockDirectory, type DataDirectory } from '@meterflow/embedded';
import { FatalError, systemClock, type Logger } from '@meterflow/stage';
import { embeddedGround } from './embedded-ground.ts';
import { createGateway } from './gateway.ts';
import type { Ground, OpenGround } from './ground.ts';
import { ServiceProcess } from './service-process.ts';
import { serviceEntry, type ServiceName } from './services.ts';
import { orphansGone } from './orphans-gone.ts';
import { publicSocket } from './sockets.ts';
import type { Supervision } from './supervision.ts';

export interface ServerOptions {
  readonly dataDir: string;
  readonly lanes: readonly string[];
  readonly services: readonly ServiceName[];
  /** Where it listens for others; absent for a server that only one command uses. */
  readonly listen?: { readonly host: string; readonly port: number };
  /** What the services stand on; the data directory's own files when absent. */
  readonly openGround?: OpenGround;
  readonly supervision: Supervision;
  readonly logger: Logger;
  readonly logLevel: string;
}

export interface EmbeddedServer {
  readonly directory: DataDirectory;
  /** Undefined where it does not listen. */
  readonly url: string | undefined;
  /** What tells others what it stands on, as its services are told; empty on the data directory's own files. */
  readonly ground: Readonly<Record<string, string>>;
  readonly processes: readonly ServiceProcess[];
  /** Rejects with ServiceStartError when a service fails again and again and is given up; never resolves. */
  readonly givenUp: Promise<never>;
  /** Drains every service; resolves when all have ended and the directory is free. */
  stop(): Promise<void>;
}

/** Thrown when it can't listen where it was told. */
export class AddressError extends Error {
  override readonly name = 'AddressError';
}

/** The children's own deadline is shorter by so much, so that they end by themselves. */
const killMarginMs = 2_000;

/**
 * Starts the services of one data directory as child processes: takes the directory, opens what they stand on, starts
 * them, opens the gateway.
 */
export async function startServer(options: ServerOptions): Promise<EmbeddedServer> {
  const directory = dataDirectory(options.dataDir);
  makeDirectory(directory);
  const socket = options.listen === undefined ? '' : directory.run;
  const lock = lockDirectory(directory.root, { pid: process.pid, socket });
  const { openGround = embeddedGround, lanes, logger } = options;
  let ground: Ground;
  try {
    await orphansGone(directory);
    ground = await openGround({ directory, lanes, logger });
  } catch (error) {
    lock.release();
    throw error;
  }
  let processes: readonly ServiceProcess[] = [];
  const stopOnce = async (): Promise<void> => {
    gateway?.close();
    gateway?.closeIdleConnections();
    await Promise.all(processes.map((service) => service.stop(options.supervision.drainMs + killMarginMs)));
    gateway?.closeAllConnections();
    await ground.close();
    lock.release();
  };
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= stopOnce());
  let gateway: Server | undefined;
  try {
    const notLive = (): string | undefined =>
      processes.length === 0
        ? 'the services are starting'
        : processes.map((service) => service.notLive).find((why) => why !== undefined);
    // First, so that a taken port is said before anything starts.
    gateway = options.listen === undefined ? undefined : await listen(directory, options.listen, notLive);
    processes = options.services.map((name) => startService(name, options, ground));
    await Promise.all(processes.map((service) => service.ready()));
  } catch (error) {
    await stop();
    throw error;
  }
  const url = gateway === undefined ? undefined : urlOf(gateway);
  const givenUp = Promise.race(processes.map((service) => service.givenUp));
  givenUp.catch(() => undefined);
  return { directory, url, ground: ground.environment, processes, givenUp, stop };
}

function makeDirectory({ root, run }: DataDirectory): void {
  try {
    mkdirSync(run, { recursive: true, mode: 0o700 });
  } catch (error) {
    const why = (error as Error).message.split(',')[0] ?? '';
    throw new FatalError(`${root} can't be used as the data directory (${why}). Choose another with --data-dir.`, {
      cause: error,
    });
  }
}

function startService(name: ServiceName, options: ServerOptions, ground: Ground): ServiceProcess {
  const env = {
    PATH: process.env['PATH'] ?? '',
    ...compileCache(),
    ...openTelemetrySettings(),
    METERFLOW_DATA_DIR: options.dataDir,
    METERFLOW_LANES: options.lanes.join(','),
    METERFLOW_DRAIN_MS: String(options.supervision.drainMs),
    METERFLOW_STUCK_MS: String(options.supervision.stuckMs),
    METERFLOW_LOG_LEVEL: options.logLevel,
    ...(name === 'ingest' ? ingestSettings() : {}),
    ...ground.environment,
  };
  const onEnd = (ended: string): number => ground.giveBack(ended);
  const definition = { name, entry: serviceEntry(name), env };
  const { silenceMsMax } = options.supervision;
  return new ServiceProcess(definition, { clock: systemClock, logger: options.logger, silenceMsMax, onEnd });
}

/** Settings of ingest alone, handed on as the operator gave them. */
const ingestVariables = [
  'METERFLOW_READINGS_RETENTION_DAYS',
  'METERFLOW_LIVE_BACKLOG_BYTES_MAX',
  'METERFLOW_LIVE_BACKLOG_AGE_MS_MAX',
] as const;

function ingestSettings(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    ingestVariables.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

/** Where traces and metrics are sent: the standard variables of OpenTelemetry, handed on as the operator gave them. */
function openTelemetrySettings(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value = '']) => (name.startsWith('OTEL_') ? [[name, value]] : [])),
  );
}

/** The services start faster with what the command has compiled before. */
function compileCache(): Readonly<Record<string, string>> {
  const directory = getCompileCacheDir();
  return directory === undefined ? {} : { NODE_COMPILE_CACHE: dirname(directory) };
}

function listen(
  directory: DataDirectory,
  { host, port }: { host: string; port: number },
  notLive: () => string | undefined,
): Promise<Server> {
  const routes = [
    { prefix: '/v1/readings', methods: ['POST'], socket: publicSocket(directory, 'ingest') },
    { prefix: '/v1/edits', methods: ['POST'], socket: publicSocket(directory, 'ingest') },
    { prefix: '/v1/mappings', socket: publicSocket(directory, 'ingest') },
    { prefix: '/', socket: publicSocket(directory, 'control') },
  ];
  const services = [publicSocket(directory, 'control'), publicSocket(directory, 'ingest')];
  const gateway = createGateway({ routes, notLive, services });
  return new Promise((resolve, reject) => {
    gateway.once('error', (error) => {
      reject(addressError(error, { host, port }));
    });
    gateway.listen(port, host, () => {
      resolve(gateway);
    });
  });
}

const portMax = 65_535;

/** As it is typed: npm takes for itself what stands before `--`. */
function portFlag(port: number): string {
  return process.env['npm_lifecycle_event'] === 'start' ? `npm start -- --port ${port}` : `--port ${port}`;
}

function addressError(error: NodeJS.ErrnoException, { host, port }: { host: string; port: number }): Error {
  const said: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${port} of ${host} is taken; choose another with ${portFlag(port < portMax ? port + 1 : port - 1)}`,
    EACCES: `port ${port} may not be used by this user; choose one above 1023 with --port`,
    EADDRNOTAVAIL: `${host} is no address of this machine; choose another with --host`,
    ENOTFOUND: `${host} is no address of this machine; choose another with --host`,
  };
  const message = said[error.code ?? ''];
  return message === undefined ? error : new AddressError(message, { cause: error });
}

function urlOf(gateway: Server): string {
  const { address, port } = gateway.address() as AddressInfo;
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}
