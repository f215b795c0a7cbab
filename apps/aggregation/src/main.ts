import { subscriptionName, type Lane } from '@meterflow/contracts';
import { configured, openPlatform } from '@meterflow/platform';
import { SeriesRegistry, seriesSettingsMsMax } from '@meterflow/registry';
import { noSink, parseServiceConfig, runService, stageRun, type StageRun } from '@meterflow/service';
import { systemClock } from '@meterflow/stage';
import { createTelemetry, serveOperations } from '@meterflow/telemetry';
import { aggregationStage } from './aggregation-stage.ts';
import { monthStage } from './month-stage.ts';

const config = configured((environment, made) => parseServiceConfig(environment, { ...made, service: 'aggregation' }));
const telemetry = createTelemetry({ service: 'aggregation', level: config.logLevel, otlp: config.otlp });

await runService({
  telemetry,
  tell: (probe) => serveOperations(config.operations, probe),
  drainMs: config.drainMs,
  stuckMs: config.stuckMs,
  idleMs: config.idleMs,
  open: async (lifecycle) => {
    const { owner } = config;
    const { platform } = await openPlatform(config, telemetry);
    lifecycle.register('platform', () => platform.close());
    const zones = new SeriesRegistry({
      registry: platform.registry,
      nowMs: () => systemClock.nowMs(),
      cacheMs: seriesSettingsMsMax,
    });
    const { tickets, aggregates } = platform;
    const common = { platform, owner, telemetry, sink: noSink };
    const stages = (lane: Lane): StageRun[] => [
      stageRun(aggregationStage({ tickets, readings: platform.readings('validated'), zones }, { lane }), {
        ...common,
        lane,
        subscription: subscriptionName('aggregation', lane),
      }),
      stageRun(monthStage({ tickets, aggregates, zones }, { lane }), {
        ...common,
        lane,
        subscription: subscriptionName('aggregation-parents', lane),
      }),
    ];
    return config.lanes.flatMap((lane) => stages(lane));
  },
});
