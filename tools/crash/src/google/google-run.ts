import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openPlatform, type GooglePlatform } from '@meterflow/platform';
import { parseServiceConfig } from '@meterflow/service';
import { silentTelemetry } from '@meterflow/stage';
import type { CrashOptions, KilledRun, RunPlace } from '../crash-run.ts';
import { receiptsMax, writtenTo } from '../end-state.ts';
import { killAtRandom } from '../kill-at-random.ts';
import type { Piece } from '../pieces.ts';
import { seededRandom } from '../random.ts';
import { DevServer, feed } from '../run-dev.ts';
import { until } from '../until.ts';
import { GoogleGround, ackDeadlineMs } from './google-ground.ts';
import { waitingMessages } from './waiting-messages.ts';

/** More is sent only while no more than this of the latest deliveries are on their way. */
const onTheirWayMax = 4;
const latestMax = 20;
/** After a kill, what the dead process held is handled again no later than this. */
const comeAgainMs = ackDeadlineMs + 3_000;
/** How often what came twice may still wait when everything is complete, before it counts as stuck. */
const emptyingsMax = 5;

/** A server over Google's emulators and Redis under fire, senders that send again, then a drain. */
export async function killedOnGoogle(
  { folder, dataDir }: RunPlace,
  pieces: readonly Piece[],
  options: CrashOptions,
): Promise<KilledRun> {
  const ground = await GoogleGround.start(folder);
  const servers = new Servers(dataDir, ground);
  let platform: GooglePlatform | undefined;
  try {
    const opened = (platform = await openedBeside(await servers.next(), ground));
    const keepsUp = async (): Promise<boolean> => (await onTheirWay(opened, latestMax)) <= onTheirWayMax;
    const feeding = feed({ dataDir, pieces, random: seededRandom(options.seed + 1), keepsUp });
    const befallen = await killAtRandom({
      ...options,
      random: seededRandom(options.seed),
      current: () => servers.last.current,
      disturbances: ground.disturbances,
    });
    await feeding.finish();
    const faults = await emptied(servers, opened);
    const endState = {
      ...(await writtenTo(join(folder, 'killed.ndjson'), (write) => exported(opened, write))),
      receipts: await opened.sources.list('default', { limit: receiptsMax }),
    };
    return { ...befallen, starts: servers.starts, endState, faults };
  } finally {
    servers.killAll();
    await platform?.close();
    await ground.stop();
  }
}

/** One server after another on the same ground. */
class Servers {
  readonly #dataDir: string;
  readonly #ground: GoogleGround;
  readonly #started: DevServer[] = [];

  constructor(dataDir: string, ground: GoogleGround) {
    this.#dataDir = dataDir;
    this.#ground = ground;
  }

  get last(): DevServer {
    return this.#started.at(-1) as DevServer;
  }

  get starts(): number {
    return this.#started.reduce((sum, { starts }) => sum + starts, 0);
  }

  async next(): Promise<DevServer> {
    const server = new DevServer(this.#dataDir, this.#ground.environment, 'google-emulators');
    this.#started.push(server);
    await server.up();
    return server;
  }

  killAll(): void {
    this.#started.forEach((server) => {
      server.killAll();
    });
  }
}

/** The ports of the server's stores and bus, opened in this process too, past the wires that are cut. */
async function openedBeside(server: DevServer, ground: GoogleGround): Promise<GooglePlatform> {
  const { environment } = JSON.parse((await server.current.firstLine()) ?? '{}') as {
    readonly environment: Readonly<Record<string, string>>;
  };
  process.env['METADATA_SERVER_DETECTION'] = 'none';
  const variables = { ...environment, ...ground.emulators, METERFLOW_DATA_DIR: server.dataDir };
  const readText = (path: string): string => readFileSync(path, 'utf8');
  const config = parseServiceConfig(variables, { service: 'crash', run: String(process.pid), readText });
  const opened = await openPlatform(config, silentTelemetry);
  if (opened.kind !== 'google') {
    throw new Error('meterflow dev does not stand on the emulators');
  }
  return opened.platform;
}

async function exported({ stores }: GooglePlatform, write: (text: string) => Promise<void>): Promise<void> {
  for await (const text of stores.exportLines()) {
    await write(text);
  }
}

/** How many of the latest so many deliveries are not complete. */
async function onTheirWay(platform: GooglePlatform, limit: number): Promise<number> {
  const receipts = await platform.sources.list('default', { limit });
  return receipts.filter(({ state }) => state !== 'complete').length;
}

/**
 * Lets the servers come to rest, drained; what is wrong with that. A message may have come twice, and the second one
 * still wait when every receipt is complete.
 */
async function emptied(servers: Servers, platform: GooglePlatform): Promise<readonly string[]> {
  for (let attempt = 1; ; attempt += 1) {
    const complete = async (): Promise<true | undefined> =>
      (await onTheirWay(platform, receiptsMax)) === 0 || undefined;
    await until('every receipt is complete', complete, { withinMs: 300_000, everyMs: 500 });
    await sleep(comeAgainMs);
    const code = await servers.last.stop();
    const waiting = await waitingMessages(platform);
    if (code !== 0) {
      return [`the drain at the end exited with ${String(code)}: ${servers.last.current.errors.slice(-2_000)}`];
    }
    if (waiting.length === 0 || attempt === emptyingsMax) {
      return waiting;
    }
    await servers.next();
  }
}
