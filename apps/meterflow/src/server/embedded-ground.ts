import { topology, type Lane } from '@meterflow/contracts';
import { openBus, openDeduper, type DataDirectory, type EmbeddedBus } from '@meterflow/embedded';
import { systemClock } from '@meterflow/stage';
import type { Ground, GroundOptions } from './ground.ts';
import { repeated } from './repeated.ts';

const maintainEveryMs = 1_000;

/** The files of the data directory: declares the topology, gives back what dead processes held, keeps the bus in trim. */
export async function embeddedGround({ directory, lanes, logger }: GroundOptions): Promise<Ground> {
  const owner = `server.${process.pid}`;
  const bus = openBus({ directory, clock: systemClock, owner, topology: declared(lanes) });
  const comeAgain = releaseLeases(bus, directory, () => true);
  if (comeAgain > 0) {
    logger.warn('the server before did not drain; what it held comes again', { comeAgain });
  }
  const maintenance = repeated(
    () =>
      bus.maintain().catch((error: unknown) => {
        logger.warn('trimming the bus failed; it is tried again', { error: String(error) });
      }),
    maintainEveryMs,
  );
  return Promise.resolve({
    environment: {},
    giveBack: (ended: string) => releaseLeases(bus, directory, (each) => each === ended),
    close: async () => {
      await maintenance.stop();
      await bus.close();
    },
  });
}

function declared(lanes: readonly Lane[]): NonNullable<Parameters<typeof openBus>[0]['topology']> {
  const topics = topology(lanes);
  return {
    topics: topics.map(({ topic }) => topic),
    subscriptions: topics.flatMap(({ topic, subscriptions }) =>
      subscriptions.map((name) => ({ name, topic, from: 'start' as const })),
    ),
  };
}

function releaseLeases(bus: EmbeddedBus, directory: DataDirectory, isDead: (owner: string) => boolean): number {
  const comeAgain = bus.releaseLeases(isDead);
  for (const { subscription } of bus.backlog()) {
    const deduper = openDeduper({ directory, subscription, clock: systemClock });
    deduper.expireLeases(isDead);
    deduper.close();
  }
  return comeAgain;
}
