import { lanes } from '@meterflow/contracts';
import { Lifecycle, nodeProcess, nodeTimers, stopWithProcess } from '@meterflow/graceful-shutdown';
import { readPlatform } from '@meterflow/platform';
import { createTelemetry } from '@meterflow/telemetry';
import type { GlobalOptions, Output } from '../cli-context.ts';
import { embeddedGround } from '../server/embedded-ground.ts';
import { emulatedGround } from '../server/emulated-ground.ts';
import type { OpenGround } from '../server/ground.ts';
import { serviceNames } from '../server/services.ts';
import { startServer, type EmbeddedServer } from '../server/start-server.ts';
import { supervisionFrom } from '../server/supervision.ts';

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
}

/** What the stages of a development server can stand on. */
export const platforms = ['embedded', 'google-emulators'] as const;

export interface DevOptions extends ListenOptions {
  readonly with: (typeof platforms)[number];
}

const grounds: Readonly<Record<DevOptions['with'], OpenGround>> = {
  embedded: embeddedGround,
  'google-emulators': emulatedGround,
};

/** So much longer than the services' own drain may the whole one take. */
const drainMarginMs = 5_000;

/** Runs every stage until Ctrl-C or SIGTERM, then drains. Resolves when the server is up. */
export async function dev(options: DevOptions, globals: GlobalOptions, output: Output): Promise<EmbeddedServer> {
  const { logger } = createTelemetry({ service: 'meterflow', level: globals.logLevel });
  const supervision = supervisionFrom(process.env);
  const drainMs = supervision.drainMs + drainMarginMs;
  const timers = nodeTimers();
  const lifecycle = new Lifecycle({ timers, log: logger });
  stopWithProcess(lifecycle, { process: nodeProcess(), timers, log: logger, drainMs });
  const starting = startServer({
    dataDir: globals.dataDir,
    lanes: options.with === 'embedded' ? lanes : readPlatform(process.env).lanes,
    services: serviceNames,
    listen: { host: options.host, port: options.port },
    openGround: grounds[options.with],
    supervision,
    logger,
    logLevel: globals.logLevel,
  });
  // Registered before it is up: a signal in between must leave no service behind.
  lifecycle.register('server', async () => {
    await starting.then((started) => started.stop());
  });
  const server = await starting;
  lifecycle.started();
  server.givenUp.catch((error: unknown) => {
    logger.error('the server ends: a service fails at each start', { error: (error as Error).message });
    void lifecycle.fail(error, drainMs);
  });
  if (globals.json) {
    const { url, ground } = server;
    output.line(JSON.stringify({ url, dataDir: globals.dataDir, pid: process.pid, environment: ground }));
  } else {
    const on = options.with === 'embedded' ? globals.dataDir : "Google's emulators and Redis, which keep nothing";
    output.note(`meterflow is up at ${server.url ?? ''} on ${on}. Ctrl-C drains and stops it.`);
  }
  return server;
}
