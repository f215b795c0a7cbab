import type { BigtableStores } from '@meterflow/bigtable';
import type { ErasablePlaces, GroundConfig } from '@meterflow/service';
import { silentTelemetry, systemClock, type LetterErasure, type Telemetry } from '@meterflow/stage';
import { openGoogleWarehouse } from './open-warehouse.ts';

/** Where readings of a household may be on Google: Bigtable, Pub/Sub, and BigQuery where there is a warehouse. */
export async function googleErasablePlaces(
  stores: BigtableStores,
  { projectId, pubsub, warehouse }: GroundConfig,
  telemetry: Telemetry = silentTelemetry,
): Promise<ErasablePlaces> {
  const { registry, tickets, aggregates, contributions, deadLetters, uploads } = stores;
  const opened =
    warehouse === undefined ? undefined : await openGoogleWarehouse({ projectId, pubsub, warehouse }, { telemetry });
  const inWarehouse = async (erasure: LetterErasure): Promise<number> => {
    const { tenant, series, upToMs, ticket } = erasure;
    const covered = { acceptedToMs: upToMs, ticketTo: ticket, erasedAtMs: systemClock.nowMs() };
    return (await opened?.warehouse.erase({ tenant, ...series, ...covered })) ?? 0;
  };
  return {
    ...{ registry, tickets, aggregates, contributions, deadLetters, uploads, sources: stores.sources() },
    readings: (layer) => stores.readings(layer),
    storedDays: (scope) => stores.readings('validated').storedDays(scope),
    // Pub/Sub does not count by tenant. A message that is on a topic now is kept for so long at most.
    kept: () => Promise.resolve({ untilMs: systemClock.nowMs() + pubsub.retentionMs }),
    ...(opened === undefined ? {} : { warehouse: inWarehouse }),
  };
}
