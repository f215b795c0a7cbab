import { topology, type Lane } from '@meterflow/contracts';
import type { GoogleConfig } from '@meterflow/service';
import { RegistryEpochs } from './registry-epochs.ts';

export interface Declaration {
  readonly lanes: readonly Lane[];
}

/** One thing that is not as declared, in words. */
export type Drift = string;

/**
 * Makes every topic, subscription and table that the services need, and mends what is otherwise than declared; with
 * `checkOnly` nothing is changed. Returns what was not as declared. May be run again, and by several at a time.
 */
export async function provisionGoogle(
  { projectId, bigtable, pubsub }: GoogleConfig,
  { lanes }: Declaration,
  { checkOnly = false }: { readonly checkOnly?: boolean } = {},
): Promise<readonly Drift[]> {
  const [{ bigtableSchema, openBigtable, retentionDaysDefault }, { PubsubBus }] = await Promise.all([
    import('@meterflow/bigtable'),
    import('@meterflow/pubsub'),
  ]);
  const stores = openBigtable({ projectId, ...bigtable });
  const bus = new PubsubBus({ projectId, ...pubsub, epochs: new RegistryEpochs(stores.registry) });
  try {
    const tables = await stores.provision(bigtableSchema(retentionDaysDefault, bigtable.tablePrefix), { checkOnly });
    const topics = topology(lanes);
    const provisioning = bus.provisioning();
    const drifts = await (checkOnly ? provisioning.check(topics) : provisioning.provision(topics));
    return [
      ...tables.map(
        ({ table, family, what }) => `table ${table}${family === undefined ? '' : ` family ${family}`}: ${what}`,
      ),
      ...drifts.map(({ resource, field, found, wanted }) => `${resource}: ${field} is ${found}, not ${wanted}`),
    ];
  } finally {
    await bus.close();
    await stores.close();
  }
}
