import type { Warehouse } from '@meterflow/bigquery';
import type { GoogleConfig } from '@meterflow/service';
import { systemClock, type StageLimits, type Telemetry } from '@meterflow/stage';

export interface WarehousePorts {
  readonly telemetry: Telemetry;
  /** Aborts when the process drains. */
  readonly signal?: AbortSignal;
}

/** The warehouse that the configuration names, with the limits of the stages before it. Opens no connection. */
export async function openGoogleWarehouse(
  { projectId, warehouse }: Pick<GoogleConfig, 'projectId'> & Required<Pick<GoogleConfig, 'warehouse'>>,
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
  return { warehouse: opened, limits: warehouseStageLimits };
}
