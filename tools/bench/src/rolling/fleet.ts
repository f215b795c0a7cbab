import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { startBigtableEmulator, startPubsubEmulator, startRedis, type RunningPart } from '@meterflow/emulators';
import { localCredential } from '@meterflow/http';
import { openGooglePlatform, provisionGoogle, type GooglePlatform } from '@meterflow/platform';
import { builtInPlatform, groundConfig, parseServiceConfig, type GoogleConfig } from '@meterflow/service';
import { silentTelemetry } from '@meterflow/stage';
import { repositoryRoot } from '../repository.ts';
import type { Send } from './steady-load.ts';
import { ToldCounts } from './told-counts.ts';

/** In the order in which they are rolled. */
export const fleetServices = ['persistence', 'aggregation', 'rule-execution', 'ingest', 'control'] as const;
export type FleetService = (typeof fleetServices)[number];

/** What a process runs: options for Node before the service's own module. */
export interface Build {
  readonly name: string;
  readonly nodeOptions: readonly string[];
}

export const today: Build = { name: 'today', nodeOptions: [] };

/** One process of a service, with a data directory of its own, as a container has. */
export interface FleetProcess {
  readonly service: FleetService;
  readonly build: Build;
  readonly dataDir: string;
  /** SIGTERM; resolves with how long it took to its end. Rejects when it ended otherwise than well. */
  drain(): Promise<number>;
}

const projectId = 'meterflow-fleet';
const instance = 'meterflow';
/** The shortest that Pub/Sub takes. */
const ackDeadlineSeconds = 10;
const drainMs = 20_000;
const answerMsMax = 15_000;

/** Services as processes of their own on Google's emulators and Redis, started and ended one by one, as on Kubernetes. */
export class Fleet {
  readonly counts: ToldCounts;
  readonly platform: GooglePlatform;
  readonly #folder: string;
  readonly #parts: readonly RunningPart[];
  readonly #environment: Readonly<Record<string, string>>;
  readonly #running = new Map<FleetProcess, ChildProcess>();
  #started = 0;

  private constructor(given: {
    readonly folder: string;
    readonly parts: readonly RunningPart[];
    readonly counts: ToldCounts;
    readonly environment: Readonly<Record<string, string>>;
    readonly platform: GooglePlatform;
  }) {
    this.#folder = given.folder;
    this.#parts = given.parts;
    this.counts = given.counts;
    this.#environment = { ...given.environment, ...given.counts.environment };
    this.platform = given.platform;
  }

  /** The emulators, provisioned; no process of ours yet. `folder` is for what the processes keep. */
  static async open(folder: string): Promise<Fleet> {
    process.env['METADATA_SERVER_DETECTION'] = 'none';
    const parts = await Promise.all([startPubsubEmulator(), startBigtableEmulator(), startRedis()]);
    const [pubsub, bigtable, redis] = parts;
    const declared = { ...builtInPlatform, messages: { ...builtInPlatform.messages, ackDeadlineSeconds } };
    const platformFile = join(folder, 'platform.json');
    mkdirSync(folder, { recursive: true });
    writeFileSync(platformFile, JSON.stringify({ messages: { ackDeadlineSeconds } }));
    const emulators = { PUBSUB_EMULATOR_HOST: pubsub.address, BIGTABLE_EMULATOR_HOST: bigtable.address };
    await provisionGoogle(groundConfig({ projectId, instance }, declared, emulators), declared);
    const environment = {
      METERFLOW_PLATFORM: 'google',
      METERFLOW_PLATFORM_FILE: platformFile,
      METERFLOW_GOOGLE_PROJECT: projectId,
      METERFLOW_BIGTABLE_INSTANCE: instance,
      METERFLOW_REDIS_URLS: `redis://${redis.address}`,
      METERFLOW_DRAIN_MS: String(drainMs),
      METERFLOW_LOG_LEVEL: 'warn',
      // A process of a build that ran before starts faster, as an image that was pulled before does.
      NODE_COMPILE_CACHE: join(folder, 'compiled'),
      METADATA_SERVER_DETECTION: 'none',
      ...emulators,
    };
    const platform = await openGooglePlatform(platformConfigOf(environment, folder), silentTelemetry);
    return new Fleet({ folder, parts, counts: await ToldCounts.listen(), environment, platform });
  }

  get processes(): readonly FleetProcess[] {
    return [...this.#running.keys()];
  }

  of(service: FleetService): readonly FleetProcess[] {
    return this.processes.filter((each) => each.service === service);
  }

  /** Resolves when the process is ready. */
  async start(service: FleetService, build: Build = today): Promise<FleetProcess> {
    const dataDir = join(this.#folder, `${service}.${(this.#started += 1)}`);
    mkdirSync(join(dataDir, 'run'), { recursive: true });
    const entry = join(repositoryRoot, 'apps', service, 'src/main.ts');
    const child = fork(entry, [], {
      execArgv: [...build.nodeOptions],
      env: { PATH: process.env['PATH'], ...this.#environment, METERFLOW_DATA_DIR: dataDir },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    await ready(child, service);
    const started: FleetProcess = { service, build, dataDir, drain: () => this.#drain(started) };
    this.#running.set(started, child);
    return started;
  }

  /** A new process of the service beside the old one, then the old one drained; resolves with how long that took. */
  async roll(service: FleetService, build: Build = today): Promise<number> {
    const old = this.of(service);
    await this.start(service, build);
    const drained = await Promise.all(old.map((each) => each.drain()));
    return Math.max(0, ...drained);
  }

  /** To the newest process that takes readings, as a load balancer that knows who is ready. */
  readonly push: Send = (csv, key) => {
    const target = this.of('ingest').at(-1);
    if (target === undefined) {
      return Promise.resolve(undefined);
    }
    const headers = {
      authorization: `Bearer ${localCredential('provider', 'default')}`,
      'content-type': 'text/csv',
      'idempotency-key': key,
    };
    const socketPath = join(target.dataDir, 'run/ingest.local.sock');
    return new Promise((resolve) => {
      const fail = (): void => {
        resolve(undefined);
      };
      request({ socketPath, method: 'POST', path: '/v1/readings', headers, timeout: answerMsMax }, (answer) => {
        text(answer).then((said) => {
          resolve({ status: answer.statusCode ?? 0, body: said });
        }, fail);
      })
        .on('timeout', fail)
        .on('error', fail)
        .end(csv);
    });
  };

  /** Drains every process, so that it has told all that it counted. */
  async told(): Promise<void> {
    await Promise.all(this.processes.map((each) => each.drain()));
  }

  async close(): Promise<void> {
    this.#running.forEach((child) => child.kill('SIGKILL'));
    await this.platform.close();
    await Promise.all(this.#parts.map((part) => part.stop()));
    this.counts.close();
  }

  async #drain(started: FleetProcess): Promise<number> {
    const child = this.#running.get(started) as ChildProcess;
    this.#running.delete(started);
    const fromMs = performance.now();
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) {
      throw new Error(`${started.service} (${started.build.name}) did not drain: exit code ${code ?? 'none'}`);
    }
    return performance.now() - fromMs;
  }
}

function platformConfigOf(environment: Readonly<Record<string, string>>, dataDir: string): GoogleConfig {
  const readText = (path: string): string => readFileSync(path, 'utf8');
  const made = { service: 'bench', run: String(process.pid), readText };
  const { platform } = parseServiceConfig({ ...environment, METERFLOW_DATA_DIR: dataDir }, made);
  if (platform.kind !== 'google') {
    throw new Error('the fleet stands on the emulators');
  }
  return platform;
}

async function ready(child: ChildProcess, service: string): Promise<void> {
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${service} ended before it was ready`);
  });
  const said = (async (): Promise<void> => {
    for (;;) {
      const [message] = (await once(child, 'message')) as [{ readonly type: string; readonly reason?: string }];
      if (message.type === 'ready') {
        return;
      }
    }
  })();
  await Promise.race([said, ended]);
  ended.catch(() => undefined);
}
