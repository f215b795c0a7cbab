import { subscriptionName, subscriptionsByTopic } from '@meterflow/contracts';
import { dataDirectory } from '@meterflow/embedded';
import { configured, openPlatform } from '@meterflow/platform';
import { activationLeaseMsDefault, Activations } from '@meterflow/registry';
import { defaultFlow, emptyBatch } from '@meterflow/rules';
import { RuleCompiler } from '@meterflow/rule-compiler';
import { IsolatedSandbox, readDeclaration } from '@meterflow/sandbox';
import { noSink, parseConfiguration, runService, stageRun } from '@meterflow/service';
import { systemClock } from '@meterflow/stage';
import { createTelemetry, serveOperations } from '@meterflow/telemetry';
import { ruleExecutionStage } from './rule-execution-stage.ts';
import { sandboxEnvironment } from './sandbox-environment.ts';
import { RulesFolder } from './rules-folder.ts';

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
  open: async (lifecycle) => {
    const { owner } = config;
    const { platform } = await openPlatform(config, telemetry);
    lifecycle.register('platform', () => platform.close());
    const { registry } = platform;
    const sandbox = new IsolatedSandbox({
      limits: own.METERFLOW_SANDBOX_LIMITS,
      socketPath: own.METERFLOW_SANDBOX_SOCKET,
      onIncident: ({ kind, message }) => {
        telemetry.count('sandbox_incidents_total', 1, { kind });
        logger.warn(message, { kind });
      },
      onIsolation: (isolation) => {
        const holds = { network: false, files: false, privileges: false, ...isolation };
        for (const [kept, value] of Object.entries(holds)) {
          telemetry.gauge('sandbox_isolation_now', value ? 1 : 0, { kept });
        }
        logger.info('what the kernel keeps from rules', holds);
      },
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
    const stages = config.lanes.map((lane) =>
      stageRun(ruleExecutionStage({ sandbox, activations, warm }, { lane }), {
        ...common,
        lane,
        subscription: subscriptionName('rule-execution', lane),
        downstream: subscriptionsByTopic['readings.transformed'].map((name) => subscriptionName(name, lane)),
      }),
    );
    return stages;
  },
});
