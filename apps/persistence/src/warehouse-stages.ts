import type { AggregateWrite, ReadingWrite } from '@meterflow/idempotent-writes';
import { subscriptionName, type Lane } from '@meterflow/contracts';
import type { Layer } from '@meterflow/readings';
import { stageRun, type Platform, type StageRun } from '@meterflow/service';
import type { Sink, StageLimits, Telemetry } from '@meterflow/stage';
import { aggregatePersistence } from './aggregate-persistence.ts';
import { readingPersistence } from './reading-persistence.ts';
import { withoutNotices } from './without-notices.ts';

export interface WarehousePorts {
  readonly platform: Platform;
  readonly warehouse: { readings(layer: Layer): Sink<ReadingWrite>; readonly aggregates: Sink<AggregateWrite> };
  readonly limits: Partial<StageLimits>;
  readonly owner: string;
  readonly telemetry: Telemetry;
}

/** Fill the warehouse from subscriptions of their own: what becomes of it is nobody else's matter. */
export function warehouseStages({ warehouse, ...common }: WarehousePorts, lanes: readonly Lane[]): readonly StageRun[] {
  return lanes.flatMap((lane) => [
    ...(['raw', 'validated'] as const).map((layer) =>
      stageRun(withoutNotices(readingPersistence({ layer, lane })), {
        ...common,
        lane,
        subscription: subscriptionName(`bigquery-${layer}`, lane),
        sink: warehouse.readings(layer),
      }),
    ),
    stageRun(withoutNotices(aggregatePersistence({ lane })), {
      ...common,
      lane,
      subscription: subscriptionName('bigquery-aggregates', lane),
      sink: warehouse.aggregates,
    }),
  ]);
}
