import { openBigtable, type BigtableStores } from '@meterflow/bigtable';
import { provisionGoogle } from '@meterflow/platform';
import { builtInPlatform, groundConfig, type PlatformFile } from '@meterflow/service';
import type { Clock } from '@meterflow/stage';
import { lane } from '../lane.ts';
import type { CrashPorts, CrashWorld, CrashWorlds, DeadLetterFacts } from '../world.ts';
import { redisDatabases, startGoogleGround, type GoogleGround } from './google-ground.ts';
import { GoogleProcess } from './google-process.ts';
import { movedClock, RealTime } from './real-time.ts';
import { Unsettled } from './unsettled.ts';

const instance = 'crash-points';
const ackDeadlineMs = { provisioned: 10_000, held: 2_000 };
const lettersMax = 1_000;
const stuckMs = 60_000;
/** The stories are years old for the emulator, which goes by the machine's time: nothing of them may have had its day. */
const foreverDays = 36_500;

/**
 * Pub/Sub, Bigtable and Redis themselves: Google's emulators, started with the first world, in real time. Runs do not come
 * again to the letter: what calls really take stands between them.
 */
export class GoogleWorlds implements CrashWorlds {
  readonly adapters = 'google';
  readonly concurrency = 1;
  #ground: Promise<GoogleGround> | undefined;
  #worlds = 0;

  async open(): Promise<CrashWorld> {
    this.#ground ??= startGoogleGround();
    return openWorld(await this.#ground, this.#worlds++);
  }

  async close(): Promise<void> {
    const ground = await this.#ground;
    this.#ground = undefined;
    await ground?.stop();
  }
}

async function openWorld(ground: GoogleGround, number: number): Promise<CrashWorld> {
  const names = { projectId: `crash-points-${number}`, instance };
  const config = groundConfig(names, declared(), {
    BIGTABLE_EMULATOR_HOST: ground.bigtable,
    PUBSUB_EMULATOR_HOST: ground.pubsub,
  });
  await provisionGoogle(config, declared());
  const redisUrl = `redis://${ground.redis}/${number % redisDatabases}`;
  return new GoogleWorld({ projectId: names.projectId, ground, redisUrl });
}

function declared(): PlatformFile {
  const { tables, messages } = builtInPlatform;
  const days = Object.fromEntries(Object.keys(tables.retentionDays).map((name) => [name, foreverDays]));
  return {
    ...builtInPlatform,
    lanes: [lane],
    messages: { ...messages, ackDeadlineSeconds: ackDeadlineMs.provisioned / 1_000 },
    tables: { ...tables, retentionDays: { ...tables.retentionDays, ...days } },
  };
}

interface GoogleWorldOptions {
  readonly projectId: string;
  readonly ground: GoogleGround;
  readonly redisUrl: string;
}

/** Its processes share the channels to Bigtable, and nothing else. */
class GoogleWorld implements CrashWorld {
  readonly ackDeadlineMs = ackDeadlineMs.held;
  readonly runMsMax = stuckMs;
  readonly time: RealTime;
  readonly #clock: Clock = movedClock();
  readonly #options: GoogleWorldOptions;
  readonly #unsettled = new Unsettled([lane]);
  readonly #stores: BigtableStores;
  readonly #open = new Map<string, GoogleProcess>();
  readonly #operator: GoogleProcess;

  constructor(options: GoogleWorldOptions) {
    const { projectId, ground } = options;
    this.#options = options;
    this.time = new RealTime(this.#clock);
    // By the machine's clock: the deadlines of calls are its time.
    this.#stores = openBigtable({ projectId, instance, emulator: ground.bigtable });
    this.#operator = this.#process('world');
  }

  open(owner: string): CrashPorts {
    return this.#process(owner);
  }

  async drop(owner: string): Promise<void> {
    const process = this.#open.get(owner);
    this.#open.delete(owner);
    await process?.close();
  }

  async replay(subscription: string): Promise<void> {
    // All is at rest: nothing of it is settled before it comes again.
    this.#unsettled.replayed(subscription);
    await this.#operator.bus.replay.replay({ subscription, fromMs: 0 });
  }

  backlog(): readonly string[] {
    return this.#unsettled.lines();
  }

  async deadLetters(): Promise<readonly DeadLetterFacts[]> {
    const { deadLetters } = this.#stores;
    const lines = await deadLetters.list({ limit: lettersMax });
    const letters = await Promise.all(lines.map(({ id }) => deadLetters.show(id)));
    return letters.flatMap((letter) => letter ?? []);
  }

  async close(): Promise<void> {
    this.time.stop();
    await Promise.all([...this.#open.values()].map((process) => process.close()));
    await this.#stores.close();
  }

  #process(owner: string): GoogleProcess {
    const { projectId, ground, redisUrl } = this.#options;
    const { connection } = this.#stores;
    const process = new GoogleProcess({
      projectId,
      redisUrl,
      pubsub: ground.pubsub,
      stores: openBigtable({ connection, projectId, instance, clock: this.#clock }),
      clock: this.#clock,
      unsettled: this.#unsettled,
      ackDeadlineMs,
    });
    this.#open.set(owner, process);
    return process;
  }
}

export const googleWorlds = new GoogleWorlds();
