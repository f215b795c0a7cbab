import type { RunningPart } from '@meterflow/emulators';
import { provisionGoogle } from '@meterflow/platform';
import type { GoogleConfig } from '@meterflow/service';
import type { Ground, GroundOptions } from './ground.ts';

const projectId = 'meterflow-dev';
const instance = 'meterflow';

/**
 * Google's own emulators of Pub/Sub and Bigtable, and Redis, as found on this machine. They hold everything in memory:
 * what was taken in is gone when they end.
 */
export async function emulatedGround({ lanes }: Pick<GroundOptions, 'lanes'>): Promise<Ground> {
  // Loaded here: a server on its own files does without.
  const { startBigtableEmulator, startPubsubEmulator, startRedis } = await import('@meterflow/emulators');
  const parts: RunningPart[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(parts.splice(0).map((part) => part.stop()));
  };
  try {
    const started = await Promise.allSettled([startPubsubEmulator(), startBigtableEmulator(), startRedis()]);
    parts.push(...started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : [])));
    const failed = started.find((each) => each.status === 'rejected');
    if (failed !== undefined) {
      throw failed.reason;
    }
    const [pubsub, bigtable, redis] = parts as [RunningPart, RunningPart, RunningPart];
    const config: GoogleConfig = {
      kind: 'google',
      projectId,
      bigtable: { instance, emulator: bigtable.address },
      pubsub: { emulator: pubsub.address },
      redis: { urls: [`redis://${redis.address}`], isCluster: false },
    };
    await provisionGoogle(config, { lanes });
    return { environment: environmentOf(config), giveBack: () => 0, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function environmentOf({ bigtable, pubsub, redis }: GoogleConfig): Readonly<Record<string, string>> {
  return {
    METERFLOW_PLATFORM: 'google',
    METERFLOW_GOOGLE_PROJECT: projectId,
    METERFLOW_BIGTABLE_INSTANCE: bigtable.instance,
    METERFLOW_REDIS_URLS: redis.urls.join(','),
    BIGTABLE_EMULATOR_HOST: bigtable.emulator as string,
    PUBSUB_EMULATOR_HOST: pubsub.emulator as string,
    // The clients would look for Google's own machines first.
    METADATA_SERVER_DETECTION: 'none',
  };
}
