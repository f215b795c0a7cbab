import { configured, openPlatform } from '@meterflow/platform';
import { parseServiceConfig, runService, stageRun, type StageRun } from '@meterflow/service';
import { Tenants } from '@meterflow/registry';
import { systemClock } from '@meterflow/stage';
import { createTelemetry, serveOperations } from '@meterflow/telemetry';
import { subscriptionName, type Lane } from '@meterflow/contracts';
import { aggregatePersistence } from './aggregate-persistence.ts';
import { countedReadings } from './counted-readings.ts';
import { Promises } from './promises.ts';
import { readingPersistence } from './reading-persistence.ts';

const config = configured((environment, made) => parseServiceConfig(environment, { ...made, service: 'persistence' }));
const telemetry = createTelemetry({ service: 'persistence', level: config.logLevel, otlp: config.otlp });
const nowMs = (): number => systemClock.nowMs();

await runService({
  telemetry,
  tell: (probe) => serveOperations(config.operations, probe),
  drainMs: config.drainMs,
  stuckMs: config.stuckMs,
  open: async (lifecycle) => {
    const { owner } = config;
    const { platform } = await openPlatform(config, telemetry);
    lifecycle.register('platform', () => platform.close());
    const promises = new Promises(new Tenants({ registry: platform.registry, nowMs }), nowMs);
    const common = { platform, owner, telemetry };
    const stages = (lane: Lane): StageRun[] => [
      ...(['raw', 'validated'] as const).map((layer) =>
        stageRun(readingPersistence({ layer, lane }), {
          ...common,
          lane,
          subscription: subscriptionName(`persistence-${layer}`, lane),
          sink: countedReadings(platform.readings(layer), { layer, telemetry, promises, nowMs }),
        }),
      ),
      stageRun(aggregatePersistence({ lane }), {
        ...common,
        lane,
        subscription: subscriptionName('persistence-aggregates', lane),
        sink: sinkOf(platform.aggregates),
      }),
    ];
    return config.lanes.flatMap((lane) => stages(lane));
  },
});

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
