import { subscriptionName, type Lane } from '@meterflow/contracts';
import { configured, openPlatform } from '@meterflow/platform';
import {
  ClosedDaysRegistry,
  Groups,
  RegisterCalendars,
  SeriesRegistry,
  seriesSettingsMsMax,
} from '@meterflow/registry';
import { noSink, parseServiceConfig, runService, stageRun, type StageRun } from '@meterflow/service';
import { systemClock } from '@meterflow/stage';
import { createTelemetry, serveOperations } from '@meterflow/telemetry';
import { aggregationStage } from './aggregation-stage.ts';
import { daysClosedStage } from './days-closed-stage.ts';
import { groupZones } from './groups/group-zones.ts';
import { memberStage } from './groups/member-stage.ts';
import { nodeStage } from './groups/node-stage.ts';
import { monthStage } from './month-stage.ts';
import { registerStage, type RegisterStage } from './registers/register-stage.ts';
import { registerZones } from './registers/register-zones.ts';

const config = configured((environment, made) => parseServiceConfig(environment, { ...made, service: 'aggregation' }));
const telemetry = createTelemetry({ service: 'aggregation', level: config.logLevel, otlp: config.otlp });

/**
 * A notice of a push, or of a file by time, has a series for each reading: some 40 bytes of it are a local day or a month to
 * compute, of which some kilobytes are kept until its group is stored.
 */
const noticeLimits = { groupBytesMax: 256 * 1024 };

/**
 * Many notices tell of the same nodes: together they cost one pass. In a flood a pass waits until no more of them come: a
 * node is a sum of all its children, and each level would be summed as often as the one below it.
 */
const nodeLimits = { groupMessagesMax: 1_024 };
const bulkNodeLimits = { ...nodeLimits, coalesceMs: 2_000, restMs: 100 };

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
    const { registry, tickets, aggregates, contributions } = platform;
    const nowMs = (): number => systemClock.nowMs();
    const series = new SeriesRegistry({ registry, nowMs, cacheMs: seriesSettingsMsMax });
    const groups = new Groups({ registry, series, nowMs, cacheMs: seriesSettingsMsMax });
    const calendars = new RegisterCalendars({ registry, nowMs, cacheMs: seriesSettingsMsMax });
    const zones = registerZones(groupZones(series, groups), calendars);
    const readings = platform.readings('validated');
    const closedDays = new ClosedDaysRegistry(registry);
    const common = { platform, owner, telemetry };
    const days = (lane: Lane): RegisterStage => {
      const members = memberStage(
        aggregationStage({ tickets, readings, zones }, { lane }),
        { readings, groups },
        { lane },
      );
      return registerStage(members, { readings, calendars }, { lane });
    };
    const stages = (lane: Lane): StageRun[] => [
      stageRun(days(lane), {
        ...common,
        lane,
        subscription: subscriptionName('aggregation', lane),
        sink: contributions,
        limits: noticeLimits,
      }),
      stageRun(monthStage({ tickets, aggregates, zones, closedDays }, { lane }), {
        ...common,
        lane,
        subscription: subscriptionName('aggregation-parents', lane),
        sink: noSink,
        limits: noticeLimits,
      }),
      stageRun(daysClosedStage({ aggregates, zones, closedDays }, { lane }), {
        ...common,
        lane,
        subscription: subscriptionName('days-closed', lane),
        sink: noSink,
        limits: noticeLimits,
      }),
      stageRun(nodeStage({ tickets, contributions, groups }, { lane }), {
        ...common,
        lane,
        subscription: subscriptionName('aggregation-nodes', lane),
        sink: contributions,
        limits: lane === 'bulk' ? bulkNodeLimits : nodeLimits,
      }),
    ];
    return config.lanes.flatMap((lane) => stages(lane));
  },
});
