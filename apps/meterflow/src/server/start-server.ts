import { mkdirSync } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { topology, type Lane } from '@meterflow/contracts';
import {
  dataDirectory,
  lockDirectory,
  openBus,
  openDeduper,
  type DataDirectory,
  type EmbeddedBus,
} from '@meterflow/embedded';
import { systemClock, type Logger } from '@meterflow/stage';
import { createGateway } from './gateway.ts';
import { ServiceProcess } from './service-process.ts';
import { serviceEntry, type ServiceName } from './services.ts';
import { orphansGone } from './orphans-gone.ts';
import { repeated } from './repeated.ts';
import { publicSocket } from './sockets.ts';
import type { Supervision } from './supervision.ts';

export interface ServerOptions {
  readonly dataDir: string;
  readonly lanes: readonly string[];
  readonly services: readonly ServiceName[];
  /** Where it listens for others; absent for a server that only one command uses. */
  readonly listen?: { readonly host: string; readonly port: number };
  readonly supervision: Supervision;
  readonly logger: Logger;
  readonly logLevel: string;
}

export interface EmbeddedServer {
  readonly directory: DataDirectory;
  /** Undefined where it does not listen. */
  readonly url: string | undefined;
  readonly processes: readonly ServiceProcess[];
  /** Drains every service; resolves when all have ended and the directory is free. */
  stop(): Promise<void>;
}

/** Thrown when the address to listen on is taken. */
export class AddressInUseError extends Error {
  override readonly name = 'AddressInUseError';
}

/** The children's own deadline is shorter by so much, so that they end by themselves. */
const killMarginMs = 2_000;
const maintainEveryMs = 1_000;

/**
 * Starts the services of one data directory as child processes: takes the directory, declares the topology, gives back
 * what dead processes held, starts the services, opens the gateway.
 */
export async function startServer(options: ServerOptions): Promise<EmbeddedServer> {
  const directory = dataDirectory(options.dataDir);
  mkdirSync(directory.run, { recursive: true, mode: 0o700 });
  const lock = lockDirectory(directory.root, { pid: process.pid, socket: directory.run });
  const bus = openBus({
    directory,
    clock: systemClock,
    owner: `server.${process.pid}`,
    topology: declared(options.lanes),
  });
  const giveBack: GiveBack = (isDead) => releaseLeases(bus, directory, isDead);
  await orphansGone(directory);
  const comeAgain = giveBack(() => true);
  if (comeAgain > 0) {
    options.logger.warn('the server before did not drain; what it held comes again', { comeAgain });
  }
  const processes = options.services.map((name) => startService(name, options, giveBack));
  const maintenance = repeated(() => bus.maintain().catch(warn(options.logger)), maintainEveryMs);
  const stopOnce = async (): Promise<void> => {
    gateway?.close();
    gateway?.closeIdleConnections();
    await Promise.all(processes.map((service) => service.stop(options.supervision.drainMs + killMarginMs)));
    gateway?.closeAllConnections();
    await maintenance.stop();
    await bus.close();
    lock.release();
  };
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= stopOnce());
  let gateway: Server | undefined;
  try {
    const notLive = (): string | undefined =>
      processes.map((service) => service.notLive).find((why) => why !== undefined);
    gateway = options.listen === undefined ? undefined : await listen(directory, options.listen, notLive);
    await Promise.all(processes.map((service) => service.ready()));
  } catch (error) {
    await stop();
    throw error;
  }
  return { directory, url: gateway === undefined ? undefined : urlOf(gateway), processes, stop };
}

function declared(lanes: readonly Lane[]): NonNullable<Parameters<typeof openBus>[0]['topology']> {
  const topics = topology(lanes);
  return {
    topics: topics.map(({ topic }) => topic),
    subscriptions: topics.flatMap(({ topic, subscriptions }) =>
      subscriptions.map((name) => ({ name, topic, from: 'start' as const })),
    ),
  };
}

function startService(name: ServiceName, options: ServerOptions, giveBack: GiveBack): ServiceProcess {
  const env = {
    PATH: process.env['PATH'] ?? '',
    ...compileCache(),
    METERFLOW_DATA_DIR: options.dataDir,
    METERFLOW_LANES: options.lanes.join(','),
    METERFLOW_DRAIN_MS: String(options.supervision.drainMs),
    METERFLOW_STUCK_MS: String(options.supervision.stuckMs),
    METERFLOW_LOG_LEVEL: options.logLevel,
    ...(name === 'ingest' ? ingestSettings() : {}),
  };
  const onEnd = (ended: string): number => giveBack((owner) => owner === ended);
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

/** The services start faster with what the command has compiled before. */
function compileCache(): Readonly<Record<string, string>> {
  const directory = getCompileCacheDir();
  return directory === undefined ? {} : { NODE_COMPILE_CACHE: dirname(directory) };
}

/** Makes what dead processes hold come again at once, instead of when its lease runs out; returns how many messages. */
type GiveBack = (isDead: (owner: string) => boolean) => number;

function releaseLeases(bus: EmbeddedBus, directory: DataDirectory, isDead: (owner: string) => boolean): number {
  const comeAgain = bus.releaseLeases(isDead);
  for (const { subscription } of bus.backlog()) {
    const deduper = openDeduper({ directory, subscription, clock: systemClock });
    deduper.expireLeases(isDead);
    deduper.close();
  }
  return comeAgain;
}

function listen(
  directory: DataDirectory,
  { host, port }: { host: string; port: number },
  notLive: () => string | undefined,
): Promise<Server> {
  const routes = [
    { prefix: '/v1/readings', methods: ['POST'], socket: publicSocket(directory, 'ingest') },
    { prefix: '/v1/mappings', socket: publicSocket(directory, 'ingest') },
    { prefix: '/', socket: publicSocket(directory, 'control') },
  ];
  const gateway = createGateway({ routes, notLive });
  return new Promise((resolve, reject) => {
    gateway.once('error', (error: NodeJS.ErrnoException) => {
      const taken = `port ${port} of ${host} is taken; choose another with --port`;
      reject(error.code === 'EADDRINUSE' ? new AddressInUseError(taken, { cause: error }) : error);
    });
    gateway.listen(port, host, () => {
      resolve(gateway);
    });
  });
}

function urlOf(gateway: Server): string {
  const { address, port } = gateway.address() as AddressInfo;
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}

function warn(logger: Logger): (error: unknown) => void {
  return (error) => {
    logger.warn('trimming the bus failed; it is tried again', { error: String(error) });
  };
}
