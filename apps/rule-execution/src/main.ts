import { randomBytes } from 'node:crypto';
import { subscriptionName, subscriptionsByTopic } from '@meterflow/contracts';
import { dataDirectory } from '@meterflow/embedded';
import { configured, openPlatform } from '@meterflow/platform';
import {
  activationLeaseMsDefault,
  Activations,
  AuditTrail,
  ClosedDaysRegistry,
  DaysMade,
  SeriesRegistry,
  seriesSettingsMsMax,
  ToldSince,
} from '@meterflow/registry';
import { defaultFlow, emptyBatch, type RuleFailure } from '@meterflow/rules';
import { RuleCompiler } from '@meterflow/rule-compiler';
import { IsolatedSandbox, readDeclaration } from '@meterflow/sandbox';
import { noSink, parseConfiguration, runService, stageRun, type Platform } from '@meterflow/service';
import { systemClock } from '@meterflow/stage';
import { createTelemetry, serveOperations } from '@meterflow/telemetry';
import { observeSandbox } from './observe-sandbox.ts';
import { ruleExecutionStage } from './rule-execution-stage.ts';
import { sandboxEnvironment } from './sandbox-environment.ts';
import { RulesFolder } from './rules-folder.ts';
import { seriesFlowSink } from './series-flow-sink.ts';
import { seriesFlowStage, type SeriesFlowPorts } from './series-flow-stage.ts';

const { config, own } = configured((environment, made) =>
  parseConfiguration(
    environment,
    { ...made, service: 'rule-execution' },
    { shape: sandboxEnvironment, problems: () => [] },
  ),
);
const telemetry = createTelemetry({ service: 'rule-execution', level: config.logLevel, otlp: config.otlp });
const { logger } = telemetry;

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
    const { registry } = platform;
    const sandbox = new IsolatedSandbox({
      limits: own.METERFLOW_SANDBOX_LIMITS,
      socketPath: own.METERFLOW_SANDBOX_SOCKET,
      ...observeSandbox(telemetry),
    });
    lifecycle.register('sandbox', () => sandbox.close());
    const warm = sandbox.run(defaultFlow, emptyBatch('default')).catch(() => undefined);
    const activations = new Activations({
      registry,
      nowMs: () => systemClock.nowMs(),
      activationLeaseMs: activationLeaseMsDefault,
    });
    const folder = new RulesFolder(dataDirectory(config.dataDir).rules, {
      activations,
      sandbox,
      compiler: new RuleCompiler({ declare: readDeclaration }),
      clock: systemClock,
      audit: new AuditTrail({
        registry,
        nowMs: () => systemClock.nowMs(),
        newId: () => randomBytes(6).toString('hex'),
      }),
      onActivated: ({ tenant, number }) => {
        logger.info('rules from files are active', { tenant, activation: number });
      },
      onProblem: ({ tenant, message }) => {
        logger.warn('rules from files change nothing', { tenant, problem: message });
      },
    });
    void folder.watch(lifecycle.signal);
    // While one group is in the sandbox, the next is decoded and the one before is published.
    const limits = { groupsInFlightMax: 2 };
    const common = { platform, limits, sink: noSink, owner, telemetry };
    const flows = seriesFlowPorts({ platform, sandbox, activations, warm });
    const sink = seriesFlowSink(flows);
    return config.lanes.flatMap((lane) => [
      stageRun(ruleExecutionStage({ sandbox, activations, warm, onFailure }, { lane }), {
        ...common,
        lane,
        subscription: subscriptionName('rule-execution', lane),
        downstream: subscriptionsByTopic['readings.transformed'].map((name) => subscriptionName(name, lane)),
      }),
      stageRun(seriesFlowStage(flows, { lane, listensTo: 'raw' }), {
        ...{ ...common, sink },
        lane,
        subscription: subscriptionName('series-flows', lane),
        downstream: subscriptionsByTopic['readings.transformed'].map((name) => subscriptionName(name, lane)),
      }),
      stageRun(seriesFlowStage(flows, { lane, listensTo: 'days' }), {
        ...{ ...common, sink },
        lane,
        subscription: subscriptionName('days-due', lane),
        downstream: subscriptionsByTopic['readings.transformed'].map((name) => subscriptionName(name, lane)),
      }),
    ]);
  },
});

/** Failures are counted by what they are, and logged with the rule and reading that the message names. */
function onFailure({ tenant, code, message }: RuleFailure & { readonly tenant: string }): void {
  telemetry.count('rule_failures_total', 1, { code });
  logger.warn(message, { tenant, code });
}

function seriesFlowPorts({
  platform,
  sandbox,
  activations,
  warm,
}: Pick<SeriesFlowPorts, 'sandbox' | 'warm'> & {
  readonly platform: Platform;
  readonly activations: Activations;
}): SeriesFlowPorts & { readonly toldSince: ToldSince; readonly daysMade: DaysMade } {
  const { registry, tickets } = platform;
  return {
    ...{ sandbox, activations, tickets, ...(warm === undefined ? {} : { warm }) },
    readings: (layer) => platform.readings(layer),
    series: new SeriesRegistry({ registry, nowMs: () => systemClock.nowMs(), cacheMs: seriesSettingsMsMax }),
    closedDays: new ClosedDaysRegistry(registry),
    toldSince: new ToldSince(registry),
    daysMade: new DaysMade({ registry, nowMs: () => systemClock.nowMs() }),
    onFailure,
  };
}
