import type { RunningPart } from '@meterflow/emulators';
import { provisionGoogle, readPlatform } from '@meterflow/platform';
import { groundConfig } from '@meterflow/service';
import type { Ground, GroundOptions } from './ground.ts';

const projectId = 'meterflow-dev';
const instance = 'meterflow';

/** A part that the services stand on: started here, or somebody else's, which stays when the server ends. */
interface Standing {
  readonly address: string;
  stop(): Promise<void>;
}

/**
 * Google's own emulators of Pub/Sub and Bigtable, and Redis: those that the environment names (as Google's own tools do,
 * and as a service is told of Redis), else started here, as found on this machine. They hold everything in memory: what
 * was taken in is gone when they end.
 */
export async function emulatedGround({ lanes }: Pick<GroundOptions, 'lanes'>): Promise<Ground> {
  // Loaded here: a server on its own files does without.
  const { startBigtableEmulator, startPubsubEmulator, startRedis } = await import('@meterflow/emulators');
  // Else the clients look for Google's own machines, here and in the services, and warn that there are none.
  process.env['METADATA_SERVER_DETECTION'] = 'none';
  const { PUBSUB_EMULATOR_HOST, BIGTABLE_EMULATOR_HOST, METERFLOW_REDIS_URLS, METERFLOW_REDIS_CLUSTER } = process.env;
  const parts: Standing[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(parts.splice(0).map((part) => part.stop()));
  };
  try {
    const started = await Promise.allSettled([
      standing(PUBSUB_EMULATOR_HOST) ?? startPubsubEmulator(),
      standing(BIGTABLE_EMULATOR_HOST) ?? startBigtableEmulator(),
      standing(METERFLOW_REDIS_URLS) ?? startRedis().then(addressedByUrl),
    ]);
    parts.push(...started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : [])));
    const failed = started.find((each) => each.status === 'rejected');
    if (failed !== undefined) {
      throw failed.reason;
    }
    const [pubsub, bigtable, redis] = parts as [Standing, Standing, Standing];
    const declared = { ...readPlatform(process.env), lanes };
    const platformFile = process.env['METERFLOW_PLATFORM_FILE'];
    const emulators = { BIGTABLE_EMULATOR_HOST: bigtable.address, PUBSUB_EMULATOR_HOST: pubsub.address };
    await provisionGoogle(groundConfig({ projectId, instance }, declared, emulators), declared);
    const environment = {
      METERFLOW_PLATFORM: 'google',
      ...(platformFile === undefined ? {} : { METERFLOW_PLATFORM_FILE: platformFile }),
      METERFLOW_GOOGLE_PROJECT: projectId,
      METERFLOW_BIGTABLE_INSTANCE: instance,
      METERFLOW_REDIS_URLS: redis.address,
      ...(METERFLOW_REDIS_CLUSTER === undefined ? {} : { METERFLOW_REDIS_CLUSTER }),
      ...emulators,
      // The clients would look for Google's own machines first.
      METADATA_SERVER_DETECTION: 'none',
    };
    return { environment, giveBack: () => 0, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Somebody else's, where there is an address. */
function standing(address: string | undefined): Standing | undefined {
  return address === undefined || address === '' ? undefined : { address, stop: () => Promise.resolve() };
}

function addressedByUrl(redis: RunningPart): Standing {
  return { address: `redis://${redis.address}`, stop: () => redis.stop() };
}
