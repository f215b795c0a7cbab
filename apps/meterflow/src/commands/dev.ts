import { lanes } from '@meterflow/contracts';
import { Lifecycle, nodeProcess, nodeTimers, stopWithProcess } from '@meterflow/graceful-shutdown';
import { createTelemetry } from '@meterflow/telemetry';
import type { GlobalOptions, Output } from '../cli-context.ts';
import { serviceNames } from '../server/services.ts';
import { startServer, type EmbeddedServer } from '../server/start-server.ts';

export interface DevOptions {
  readonly host: string;
  readonly port: number;
}

const drainMs = 25_000;

/** Runs every stage until Ctrl-C or SIGTERM, then drains. Resolves when the server is up. */
export async function dev(options: DevOptions, globals: GlobalOptions, output: Output): Promise<EmbeddedServer> {
  const { logger } = createTelemetry({ service: 'meterflow', level: globals.logLevel });
  const timers = nodeTimers();
  const lifecycle = new Lifecycle({ timers, log: logger });
  stopWithProcess(lifecycle, { process: nodeProcess(), timers, log: logger, drainMs });
  const server = await startServer({
    dataDir: globals.dataDir,
    lanes,
    services: serviceNames,
    listen: options,
    logger,
    logLevel: globals.logLevel,
  });
  lifecycle.register('server', () => server.stop());
  lifecycle.started();
  if (globals.json) {
    output.line(JSON.stringify({ url: server.url, dataDir: globals.dataDir, pid: process.pid }));
  } else {
    output.note(`meterflow is up at ${server.url ?? ''} on ${globals.dataDir}. Ctrl-C drains and stops it.`);
  }
  return server;
}
