import { parseConfiguration, type ConfiguredProcess, type GoogleConfig, type ServiceConfig } from '@meterflow/service';
import { z } from 'zod';

/**
 * A warehouse's stage is in work for as long as a load job may take, waits for its turn before, and longer after a quota
 * was used up: less than all of these together would take it for stuck.
 */
export const warehouseStuckMsMin = 900_000 + 120_000 + 600_000;
const warehouseStuckMsDefault = 1_800_000;

const persistenceEnvironment = {
  METERFLOW_SINK: z
    .enum(['bigtable', 'bigquery'])
    .optional()
    .describe('what this process fills; the primary store of the platform when absent'),
};

type Environment = Readonly<Record<string, string | undefined>>;

/** What a process of persistence fills. Only the primary store's says `…stored`. */
export type PersistenceConfig =
  | { readonly sink: 'primary'; readonly service: ServiceConfig }
  | { readonly sink: 'warehouse'; readonly service: ServiceConfig; readonly platform: WarehousePlatform };

export type WarehousePlatform = GoogleConfig & Required<Pick<GoogleConfig, 'warehouse'>>;

/** Throws ConfigurationError naming every problem. */
export function parsePersistenceConfig(environment: Environment, made: ConfiguredProcess): PersistenceConfig {
  const fillsWarehouse = environment['METERFLOW_SINK'] === 'bigquery';
  const patient = { METERFLOW_STUCK_MS: String(warehouseStuckMsDefault), ...environment };
  const { config } = parseConfiguration(
    fillsWarehouse ? patient : environment,
    { ...made, service: fillsWarehouse ? 'persistence-warehouse' : 'persistence' },
    {
      shape: persistenceEnvironment,
      problems: ({ METERFLOW_SINK: sink }, service) => sinkProblems(sink, service),
    },
  );
  return fillsWarehouse
    ? { sink: 'warehouse', service: config, platform: config.platform as WarehousePlatform }
    : { sink: 'primary', service: config };
}

function sinkProblems(sink: string | undefined, { platform, stuckMs }: ServiceConfig): readonly string[] {
  if (sink === undefined) {
    return [];
  }
  if (platform.kind !== 'google') {
    return [`✖ METERFLOW_SINK=${sink} needs METERFLOW_PLATFORM=google`];
  }
  if (sink === 'bigtable') {
    return [];
  }
  return [
    ...(platform.warehouse === undefined ? ['✖ METERFLOW_SINK=bigquery needs a warehouse in the platform file'] : []),
    ...(stuckMs < warehouseStuckMsMin
      ? [`✖ METERFLOW_STUCK_MS is ${stuckMs}, but a load may take ${warehouseStuckMsMin} with its turn and its quota`]
      : []),
  ];
}
