import { systemClock } from '@meterflow/stage';
import { openBus } from '../bus/embedded-bus.ts';
import { dataDirectory } from '../data-directory.ts';

/** Makes the bus of a data directory; every subscription is one of the first topic. */
export async function declareTopology(
  root: string,
  { topics, subscriptions }: { readonly topics: readonly string[]; readonly subscriptions: readonly string[] },
): Promise<void> {
  const bus = openBus({
    directory: dataDirectory(root),
    clock: systemClock,
    owner: 'declares',
    topology: {
      topics: [...topics],
      subscriptions: subscriptions.map((name) => ({ name, topic: topics[0] ?? '', from: 'start' as const })),
    },
  });
  await bus.close();
}
