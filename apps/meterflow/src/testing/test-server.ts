import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lanes } from '@meterflow/contracts';
import { silentTelemetry } from '@meterflow/stage';
import { processOutput, type Output } from '../cli-context.ts';
import { buildProgram } from '../program.ts';
import type { OpenGround } from '../server/ground.ts';
import { serviceNames, type ServiceName } from '../server/services.ts';
import { startServer, type EmbeddedServer } from '../server/start-server.ts';
import { supervisionFrom } from '../server/supervision.ts';

/** A new place for a data directory, removed by the caller. */
export function newDataDir(): { readonly dataDir: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'meterflow-'));
  return {
    dataDir: join(folder, 'data'),
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The server of `meterflow dev` under this process, listening on a free port unless told. */
export function startTestServer(
  dataDir: string,
  options: {
    readonly port?: number;
    readonly services?: readonly ServiceName[];
    readonly openGround?: OpenGround;
  } = {},
): Promise<EmbeddedServer> {
  return startServer({
    dataDir,
    lanes,
    services: options.services ?? serviceNames,
    listen: { host: '127.0.0.1', port: options.port ?? 0 },
    ...(options.openGround === undefined ? {} : { openGround: options.openGround }),
    supervision: supervisionFrom({}),
    logger: silentTelemetry.logger,
    logLevel: 'error',
  });
}

/** Runs a command of the command line within this process; what it prints, or what it throws. */
export async function commandIn(
  dataDir: string,
  words: readonly string[],
  asked: Partial<Output> = {},
): Promise<string> {
  const lines: string[] = [];
  const output: Output = { ...processOutput, line: (text) => lines.push(text), note: () => undefined, ...asked };
  await buildProgram(output).parseAsync(['--data-dir', dataDir, ...words], { from: 'user' });
  return lines.join('\n');
}
