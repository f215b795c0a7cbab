import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  askRedis,
  startBigtableEmulator,
  startPubsubEmulator,
  startRedis,
  type RunningPart,
} from '@meterflow/emulators';
import type { Disturbance } from '../kill-at-random.ts';
import { Wire } from './wire.ts';

/** The shortest that Pub/Sub takes: so long is what a killed process held kept from the others. */
export const ackDeadlineMs = 10_000;

const outageMs = 3_000;

/**
 * Google's emulators and Redis, which outlive every process that is killed. Redis is flushed and restarted for real, for
 * it keeps nothing that counts. The emulators keep in memory what Google's own keeps on disks: restarted they would lose
 * what was acknowledged, as the real ones never do. So their restart is what clients see of one: every connection drops
 * with all that was on its way, nobody is let in for a while, and what was kept is still there.
 */
export class GoogleGround {
  readonly #pubsub: RunningPart;
  readonly #bigtable: RunningPart;
  readonly #toPubsub: Wire;
  readonly #toBigtable: Wire;
  #redis: RunningPart;
  readonly #platformFile: string;

  private constructor(parts: readonly RunningPart[], wires: readonly Wire[], platformFile: string) {
    [this.#pubsub, this.#bigtable, this.#redis] = parts as [RunningPart, RunningPart, RunningPart];
    [this.#toPubsub, this.#toBigtable] = wires as [Wire, Wire];
    this.#platformFile = platformFile;
  }

  static async start(folder: string): Promise<GoogleGround> {
    const parts = await Promise.all([startPubsubEmulator(), startBigtableEmulator(), startRedis()]);
    const [pubsub, bigtable] = parts;
    const wires = await Promise.all([Wire.to(pubsub), Wire.to(bigtable)]);
    await mkdir(folder, { recursive: true });
    const platformFile = join(folder, 'platform.json');
    await writeFile(platformFile, JSON.stringify({ messages: { ackDeadlineSeconds: ackDeadlineMs / 1_000 } }));
    return new GoogleGround(parts, wires, platformFile);
  }

  /** Tells `meterflow dev --with google-emulators` to stand on it. */
  get environment(): Readonly<Record<string, string>> {
    return {
      METADATA_SERVER_DETECTION: 'none',
      METERFLOW_PLATFORM_FILE: this.#platformFile,
      METERFLOW_REDIS_URLS: `redis://${this.#redis.address}`,
      PUBSUB_EMULATOR_HOST: this.#toPubsub.address,
      BIGTABLE_EMULATOR_HOST: this.#toBigtable.address,
    };
  }

  /** The emulators themselves, for who is not to notice when wires are cut. */
  get emulators(): Readonly<Record<string, string>> {
    return { PUBSUB_EMULATOR_HOST: this.#pubsub.address, BIGTABLE_EMULATOR_HOST: this.#bigtable.address };
  }

  get disturbances(): readonly Disturbance[] {
    return [
      { name: 'redis-flush', run: () => askRedis(this.#redis, 'FLUSHALL').then(() => undefined) },
      { name: 'redis-restart', run: () => this.#restartRedis() },
      { name: 'pubsub-outage', run: () => outage(this.#toPubsub) },
      { name: 'bigtable-outage', run: () => outage(this.#toBigtable) },
    ];
  }

  async stop(): Promise<void> {
    this.#toPubsub.close();
    this.#toBigtable.close();
    await Promise.all([this.#pubsub.kill(), this.#bigtable.kill(), this.#redis.kill()]);
  }

  async #restartRedis(): Promise<void> {
    const { port } = this.#redis;
    await this.#redis.kill();
    await sleep(outageMs / 3);
    this.#redis = await startRedis({ port });
  }
}

async function outage(wire: Wire): Promise<void> {
  wire.cut();
  await sleep(outageMs);
  wire.mend();
}
