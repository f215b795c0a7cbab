import { startBigtableEmulator, startPubsubEmulator, startRedis, type RunningPart } from '@meterflow/emulators';

/** What all worlds stand on. Each has a project and a database of Redis to itself. */
export interface GoogleGround {
  readonly pubsub: string;
  readonly bigtable: string;
  readonly redis: string;
  stop(): Promise<void>;
}

/** So many worlds have a database to themselves before one comes to be used again. */
export const redisDatabases = 10_000;

/** Starts the two emulators and Redis, empty. */
export async function startGoogleGround(): Promise<GoogleGround> {
  // Else the clients look for Google's own machines, and warn that there are none.
  process.env['METADATA_SERVER_DETECTION'] = 'none';
  const starts = await Promise.allSettled([
    startPubsubEmulator(),
    startBigtableEmulator(),
    startRedis({ args: ['--databases', String(redisDatabases)] }),
  ]);
  const parts = starts.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(parts.map((part) => part.stop()));
  };
  const failed = starts.find((each) => each.status === 'rejected');
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  const [pubsub, bigtable, redis] = parts as [RunningPart, RunningPart, RunningPart];
  return { pubsub: pubsub.address, bigtable: bigtable.address, redis: redis.address, stop };
}
