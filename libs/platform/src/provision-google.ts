import {
  subscriptionsByTopic,
  topology,
  warehouseSubscriptionsByTopic,
  type TopicDeclaration,
} from '@meterflow/contracts';
import type { GroundConfig, PlatformFile } from '@meterflow/service';
import { silentTelemetry } from '@meterflow/stage';
import { openGoogleWarehouse } from './open-warehouse.ts';
import { RegistryEpochs } from './registry-epochs.ts';

/** One thing that is not as declared, in words. */
export type Drift = string;

export interface ProvisionOptions {
  /** Nothing is changed. */
  readonly checkOnly?: boolean;
}

/**
 * Makes every topic, subscription, table and view that the services need, and mends what is otherwise than declared.
 * Returns what was not as declared; some of it only a person can mend, so a check may find it again. Nothing is ever
 * deleted. May be run again, and by several at a time.
 */
export async function provisionGoogle(
  config: GroundConfig,
  declared: PlatformFile,
  { checkOnly = false }: ProvisionOptions = {},
): Promise<readonly Drift[]> {
  // The topics last: once they are there, messages come.
  return [
    ...(await provisionTables(config, declared, checkOnly)),
    ...(await provisionWarehouse(config, checkOnly)),
    ...(await provisionTopics(config, declared, checkOnly)),
  ];
}

async function provisionTables(
  { projectId, bigtable }: GroundConfig,
  { tables }: PlatformFile,
  checkOnly: boolean,
): Promise<readonly Drift[]> {
  const { bigtableSchema, openBigtable } = await import('@meterflow/bigtable');
  const stores = openBigtable({ projectId, ...bigtable });
  try {
    const drifts = await stores.provision(bigtableSchema(tables.retentionDays, tables.prefix), { checkOnly });
    return drifts.map(({ table, family, what }) => {
      const names = {
        'missing-table': 'is absent',
        'missing-family': 'is absent',
        'other-retention': 'keeps otherwise',
      };
      return `table ${table}${family === undefined ? '' : ` family ${family}`}: ${names[what]}`;
    });
  } finally {
    await stores.close();
  }
}

async function provisionWarehouse(
  { projectId, pubsub, warehouse }: GroundConfig,
  checkOnly: boolean,
): Promise<readonly Drift[]> {
  if (warehouse === undefined) {
    return [];
  }
  const opened = await openGoogleWarehouse({ projectId, pubsub, warehouse }, { telemetry: silentTelemetry });
  const drifts = await opened.warehouse.drift();
  if (!checkOnly && drifts.length > 0) {
    await opened.warehouse.provision();
  }
  return drifts.map(({ what }) => `warehouse: ${what}`);
}

async function provisionTopics(
  { projectId, bigtable, pubsub }: GroundConfig,
  { lanes, warehouse }: PlatformFile,
  checkOnly: boolean,
): Promise<readonly Drift[]> {
  const [{ openBigtable }, { PubsubBus }] = await Promise.all([
    import('@meterflow/bigtable'),
    import('@meterflow/pubsub'),
  ]);
  const stores = openBigtable({ projectId, ...bigtable });
  const bus = new PubsubBus({ projectId, ...pubsub, epochs: new RegistryEpochs(stores.registry) });
  try {
    const topics = topology(lanes, { warehouse: warehouse !== undefined });
    const provisioning = bus.provisioning(pubsub);
    const undeclared = undeclaredOf(await provisioning.subscriptions(), topics);
    const drifts = await (checkOnly ? provisioning.check(topics) : provisioning.provision(topics));
    return [
      ...drifts.map(({ resource, field, found, wanted }) =>
        field === 'existence' ? `${resource}: is absent` : `${resource}: ${field} is ${found}, not ${wanted}`,
      ),
      ...undeclared.map((name) => `subscription ${name}: nobody declares it, and it keeps every message; delete it`),
    ];
  } finally {
    await bus.close();
    await stores.close();
  }
}

/** Those of a lane or a warehouse that is no longer declared; of others that share the project nothing is said. */
function undeclaredOf(found: readonly string[], topics: readonly TopicDeclaration[]): readonly string[] {
  const declared = new Set(topics.flatMap(({ subscriptions }) => subscriptions));
  const ours = [subscriptionsByTopic, warehouseSubscriptionsByTopic].flatMap((byTopic) =>
    Object.values<readonly string[]>(byTopic).flat(),
  );
  return found
    .filter((name) => !declared.has(name) && ours.some((own) => name.replace(/\.[^.]*$/, '') === own))
    .toSorted();
}
