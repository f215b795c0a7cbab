import { mkdirSync } from 'node:fs';
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
import { publicSocket } from './sockets.ts';

export interface ServerOptions {
  readonly dataDir: string;
  readonly lanes: readonly string[];
  readonly services: readonly ServiceName[];
  /** Where it listens for others; absent for a server that only one command uses. */
  readonly listen?: { readonly host: string; readonly port: number };
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

const drainMs = 20_000;
/** The children's own deadline is shorter, so that they end by themselves. */
const killMs = drainMs + 2_000;
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
    topology: declared(options.lanes as readonly Lane[]),
  });
  const giveBack = (isDead: (owner: string) => boolean): void => {
    releaseLeases(bus, directory, isDead);
  };
  giveBack(() => true);
  const processes = options.services.map((name) => startService(name, options, giveBack));
  const maintenance = setInterval(() => void bus.maintain().catch(warn(options.logger)), maintainEveryMs);
  const stop = async (): Promise<void> => {
    gateway?.close();
    gateway?.closeIdleConnections();
    await Promise.all(processes.map((service) => service.stop(killMs)));
    gateway?.closeAllConnections();
    clearInterval(maintenance);
    await bus.close();
    lock.release();
  };
  let gateway: Server | undefined;
  try {
    gateway = options.listen === undefined ? undefined : await listen(directory, options.listen);
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

function startService(
  name: ServiceName,
  options: ServerOptions,
  giveBack: (isDead: (owner: string) => boolean) => void,
): ServiceProcess {
  const env = {
    PATH: process.env['PATH'] ?? '',
    METERFLOW_DATA_DIR: options.dataDir,
    METERFLOW_LANES: options.lanes.join(','),
    METERFLOW_DRAIN_MS: String(drainMs),
    METERFLOW_LOG_LEVEL: options.logLevel,
  };
  const onEnd = (ended: string): void => {
    giveBack((owner) => owner === ended);
  };
  const definition = { name, entry: serviceEntry(name), env };
  return new ServiceProcess(definition, { clock: systemClock, logger: options.logger, onEnd });
}

/** What dead processes hold comes again at once, instead of when its lease runs out. */
function releaseLeases(bus: EmbeddedBus, directory: DataDirectory, isDead: (owner: string) => boolean): void {
  bus.releaseLeases(isDead);
  for (const { subscription } of bus.backlog()) {
    const deduper = openDeduper({ directory, subscription, clock: systemClock });
    deduper.expireLeases(isDead);
    deduper.close();
  }
}

function listen(directory: DataDirectory, { host, port }: { host: string; port: number }): Promise<Server> {
  const gateway = createGateway([
    { prefix: '/v1/readings', methods: ['POST'], socket: publicSocket(directory, 'ingest') },
    { prefix: '/v1/mappings', socket: publicSocket(directory, 'ingest') },
    { prefix: '/', socket: publicSocket(directory, 'control') },
  ]);
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
