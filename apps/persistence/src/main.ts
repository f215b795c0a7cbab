import type { Lifecycle } from '@meterflow/graceful-shutdown';
import {
  configured,
  openGooglePlatform,
  openGoogleWarehouse,
  openPlatform,
  warehouseProcess,
} from '@meterflow/platform';
import { runService, type StageRun } from '@meterflow/service';
import { createTelemetry, serveOperations } from '@meterflow/telemetry';
import { parsePersistenceConfig, type WarehousePlatform } from './persistence-config.ts';
import { primaryStages } from './primary-stages.ts';
import { warehouseStages } from './warehouse-stages.ts';

const config = configured(parsePersistenceConfig);
const { operations, drainMs, stuckMs, idleMs, logLevel, otlp, owner, lanes } = config.service;
const telemetry = createTelemetry({ service: 'persistence', level: logLevel, otlp });

await runService({
  telemetry,
  tell: (probe) => serveOperations(operations, probe),
  drainMs,
  stuckMs,
  idleMs,
  open: (lifecycle) => (config.sink === 'primary' ? openPrimary(lifecycle) : openWarehouse(lifecycle, config.platform)),
});

async function openPrimary(lifecycle: Lifecycle): Promise<readonly StageRun[]> {
  const { platform } = await openPlatform(config.service, telemetry);
  lifecycle.register('platform', () => platform.close());
  return primaryStages({ platform, owner, telemetry }, lanes);
}

/** The same batches once more, into the warehouse beside the primary store. */
async function openWarehouse(lifecycle: Lifecycle, google: WarehousePlatform): Promise<readonly StageRun[]> {
  const platform = await openGooglePlatform(await warehouseProcess(google), telemetry);
  lifecycle.register('platform', () => platform.close());
  const { warehouse, limits } = await openGoogleWarehouse(google, { telemetry, signal: lifecycle.signal });
  return warehouseStages({ platform, warehouse, limits, owner, telemetry }, lanes);
}
