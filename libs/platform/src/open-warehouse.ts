import type { Warehouse } from '@meterflow/bigquery';
import type { GoogleConfig } from '@meterflow/service';
import { systemClock, type StageLimits, type Telemetry } from '@meterflow/stage';

export interface WarehousePorts {
  readonly telemetry: Telemetry;
  /** Aborts when the process drains. */
  readonly signal?: AbortSignal;
}

type WarehouseConfig = Pick<GoogleConfig, 'projectId' | 'pubsub'> & Required<Pick<GoogleConfig, 'warehouse'>>;

/** The warehouse that the configuration names, with the limits of the stages before it. Opens no connection. */
export async function openGoogleWarehouse(
  { projectId, pubsub, warehouse }: WarehouseConfig,
  { telemetry, signal }: WarehousePorts,
): Promise<{ readonly warehouse: Warehouse; readonly limits: StageLimits }> {
  // Loaded here: whoever has no warehouse does without its client.
  const { openWarehouse, warehouseStageLimits } = await import('@meterflow/bigquery');
  const { dataset, location, emulator } = warehouse;
  const opened = openWarehouse({
    location: {
      projectId,
      dataset,
      location,
      ...(emulator === undefined ? {} : { apiEndpoint: `http://${emulator}`, anonymous: true }),
    },
    clock: systemClock,
    telemetry,
    ...(signal === undefined ? {} : { signal }),
  });
  // Leases are renewed from when a group is complete: what came first must not have run out by then.
  const coalesceMs = Math.min(warehouseStageLimits.coalesceMs, pubsub.ackDeadlineMs / 3);
  return { warehouse: opened, limits: { ...warehouseStageLimits, coalesceMs } };
}

/** The configuration of a process that does nothing but fill the warehouse: in large groups, each of which takes minutes. */
export async function warehouseProcess(config: GoogleConfig): Promise<GoogleConfig> {
  const { warehouseLeases } = await import('@meterflow/bigquery');
  const limits = { ...warehouseLeases, finishMs: 60 * 60_000 };
  return { ...config, pubsub: { ...config.pubsub, limits } };
}
