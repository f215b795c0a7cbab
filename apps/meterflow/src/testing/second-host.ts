import { mkdirSync, symlinkSync } from 'node:fs';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { dataDirectory } from '@meterflow/embedded';
import { silentTelemetry, systemClock } from '@meterflow/stage';
import { createGateway } from '../server/gateway.ts';
import { ServiceProcess } from '../server/service-process.ts';
import { serviceEntry, type ServiceName } from '../server/services.ts';
import { publicSocket } from '../server/sockets.ts';

/** Further instances of a server's services: processes of their own over the same bus, stores and registry. */
export interface SecondHost {
  /** The place of its sockets: a data directory whose files are the first one's. */
  readonly dataDir: string;
  /** Where its ingest answers. */
  readonly url: string;
  stop(): Promise<void>;
}

/** What all instances share; sockets and dropped files are each host's own. */
const shared = ['bus', 'stores', 'state', 'uploads', 'rules'] as const;
const silenceMsMax = 60_000;
const drainMsMax = 20_000;

/** Starts them beside a server that runs, as a second machine would on stores that both reach. Stopped before the server. */
export async function startSecondHost(firstDir: string, services: readonly ServiceName[]): Promise<SecondHost> {
  const dataDir = join(dirname(firstDir), 'second');
  const directory = dataDirectory(dataDir);
  mkdirSync(directory.run, { recursive: true, mode: 0o700 });
  for (const name of shared) {
    mkdirSync(join(firstDir, name), { recursive: true });
    symlinkSync(join(firstDir, name), join(dataDir, name));
  }
  const env = { PATH: process.env['PATH'] ?? '', METERFLOW_DATA_DIR: dataDir, METERFLOW_LOG_LEVEL: 'error' };
  const { logger } = silentTelemetry;
  const processes = services.map(
    (name) =>
      new ServiceProcess(
        { name, entry: serviceEntry(name), env },
        { clock: systemClock, logger, silenceMsMax, onEnd: () => 0 },
      ),
  );
  const gateway = createGateway({
    routes: [{ prefix: '/', socket: publicSocket(directory, 'ingest') }],
    notLive: () => undefined,
    services: [],
  }).listen(0, '127.0.0.1');
  const stop = async (): Promise<void> => {
    gateway.close();
    gateway.closeIdleConnections();
    await Promise.all(processes.map((service) => service.stop(drainMsMax)));
    gateway.closeAllConnections();
  };
  try {
    await Promise.all([once(gateway, 'listening'), ...processes.map((service) => service.ready())]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { dataDir, url: `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`, stop };
}
