import { subscriptionName, subscriptionsByTopic, type Lane } from '@meterflow/contracts';
import { Tenants } from '@meterflow/registry';
import { stageRun, type Platform, type StageRun } from '@meterflow/service';
import { systemClock, type Telemetry } from '@meterflow/stage';
import { aggregatePersistence } from './aggregate-persistence.ts';
import { countedReadings } from './counted-readings.ts';
import { Promises } from './promises.ts';
import { readingPersistence } from './reading-persistence.ts';

export interface PrimaryPorts {
  readonly platform: Platform;
  readonly owner: string;
  readonly telemetry: Telemetry;
}

const nowMs = (): number => systemClock.nowMs();

/** Fill the primary store of the platform, and tell of all that is stored. */
export function primaryStages(common: PrimaryPorts, lanes: readonly Lane[]): readonly StageRun[] {
  const { platform, telemetry } = common;
  const promises = new Promises(new Tenants({ registry: platform.registry, nowMs }), nowMs);
  return lanes.flatMap((lane) => [
    ...(['raw', 'validated'] as const).map((layer) =>
      stageRun(readingPersistence({ layer, lane }), {
        ...common,
        lane,
        subscription: subscriptionName(`persistence-${layer}`, lane),
        downstream: subscriptionsByTopic[`readings.stored.${layer}`].map((name) => subscriptionName(name, lane)),
        sink: countedReadings(platform.readings(layer), { layer, telemetry, promises, nowMs }),
      }),
    ),
    stageRun(aggregatePersistence({ lane }), {
      ...common,
      lane,
      subscription: subscriptionName('persistence-aggregates', lane),
      sink: sinkOf(platform.aggregates),
    }),
  ]);
}

/** The outcomes are in the ledger; the stage needs none of them. */
function sinkOf<Write>(store: { write(writes: readonly Write[]): Promise<unknown> }): {
  write(writes: readonly Write[]): Promise<void>;
} {
  return {
    write: async (writes) => {
      await store.write(writes);
    },
  };
}
