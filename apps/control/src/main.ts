import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { dataDirectory } from '@meterflow/embedded';
import { localPrincipal } from '@meterflow/http';
import { configured, openPlatform, type OpenPlatform } from '@meterflow/platform';
import {
  Activations,
  ClosedDaysRegistry,
  DueRecomputes,
  GroupRegistry,
  Groups,
  Keys,
  quotaDefaults,
  RegisterCalendars,
  SeriesRegistry,
  seriesSettingsMsMax,
  Tenants,
  ToldSince,
  type Registry,
} from '@meterflow/registry';
import { operationsSocket, parseConfiguration, publicAddress, publicEnvironment, runService } from '@meterflow/service';
import { systemClock, type Publisher } from '@meterflow/stage';
import { createTelemetry, gatherMetrics, serveOperations } from '@meterflow/telemetry';
import { createControl, type ControlAccess } from './control.ts';
import { DayCloser, graceMsDefault, type DayCloserPorts } from './day-closer.ts';
import { deadLetterDesk } from './dead-letter-desk.ts';
import { ensureFirstKey, firstTenant } from './first-key.ts';
import { KnownSeries } from './known-series.ts';
import { platformParts } from './platform-parts.ts';
import type { ControlPorts } from './ports.ts';
import { dayMs } from './query-span.ts';
import { watchLeft } from './recompute-due.ts';
import { ruleLife, type RuleLifePorts } from './rule-life.ts';

const { config, own: told } = configured((environment, made) =>
  parseConfiguration(environment, { ...made, service: 'control' }, { shape: publicEnvironment, problems: () => [] }),
);
const telemetry = createTelemetry({ service: 'control', level: config.logLevel, otlp: config.otlp });
/** Whose metrics this one hands out together with its own. */
const services = ['ingest', 'rule-execution', 'persistence', 'aggregation', 'control'];
const nowMs = (): number => systemClock.nowMs();

await runService({
  telemetry,
  tell: (probe) => serveOperations(config.operations, probe),
  drainMs: config.drainMs,
  stuckMs: config.stuckMs,
  idleMs: config.idleMs,
  open: async (lifecycle) => {
    const opened = await openPlatform(config, telemetry);
    const { platform } = opened;
    lifecycle.register('platform', () => platform.close());
    const parts = platformParts(opened, { dataDir: config.dataDir, lifecycle, telemetry, nowMs });
    const { registry, deadLetters, publisher } = platform;
    const directory = dataDirectory(config.dataDir);
    const [tenants, keys] = [new Tenants({ registry, nowMs }), new Keys({ registry, nowMs, randomBytes })];
    const activations = new Activations({ registry, nowMs, activationLeaseMs: 0 });
    const [closedDays, toldSince] = [new ClosedDaysRegistry(registry), new ToldSince(registry)];
    const settings = new SeriesRegistry({ registry, nowMs, cacheMs: seriesSettingsMsMax });
    const { storedRaw: stored } = parts;
    const known = new KnownSeries({ stored, raw: platform.readings('raw'), settings, closedDays });
    void dayCloser(platform, { tenants, activations, closedDays, toldSince, known }).watch(lifecycle.signal);
    // Elsewhere every new pod has an empty directory: there only a system that nobody has a key of yet gets one.
    if (opened.kind === 'embedded' || (await keys.list(firstTenant)).length === 0) {
      await ensureFirstKey(join(directory.root, 'operator.key'), { tenants, keys });
    }
    const backlogs = backlogsOf(opened);
    const life = ruleLife({
      ...{ platform, backlogs, activations, tenants, keys, lifecycle, stored, known },
      ...{ owner: config.owner, logger: telemetry.logger },
    });
    const ports: ControlPorts = {
      readings: (layer) => platform.readings(layer),
      history: parts.history,
      activations,
      aggregates: platform.aggregates,
      sources: platform.sources,
      tenants,
      keys,
      deadLetters: deadLetterDesk({ deadLetters, publisher, activations }),
      erasures: parts.erasures,
      ...seriesPorts(registry, life.newId),
      recomputes: parts.recomputes,
      ...life,
      backlogs: async () => (await backlogs()) ?? [],
      ...{ nowMs, sleep: (ms, signal) => systemClock.sleep(ms, signal) },
      readingsRetentionMs: config.declared.tables.retentionDays.readings * dayMs,
    };
    const watching = watchLeft(ports, { signal: lifecycle.signal, onProblem: recomputeWaits });
    lifecycle.register('recomputes left', () => watching);
    const access: Omit<ControlAccess, 'authenticate' | 'quotas'> = {
      telemetry,
      notLive: () => undefined,
      notReady: () => (lifecycle.ready ? undefined : lifecycle.state),
      metrics: () =>
        gatherMetrics(services.map((service) => ({ service, socket: operationsSocket(config.dataDir, service) }))),
      newRequestId: randomUUID,
    };
    const open = async (
      name: string,
      own: Pick<ControlAccess, 'authenticate' | 'quotas' | 'routes'>,
    ): Promise<void> => {
      const server = createControl(ports, { ...access, ...own });
      const socket = join(directory.run, `control.${name}.sock`);
      await server.listen(name === 'public' ? publicAddress(told.METERFLOW_HTTP_PORT, socket) : { socket });
      lifecycle.register(`${name} socket`, () => server.close());
    };
    await open('public', {
      authenticate: (text) => keys.authenticate(text),
      quotas: async (tenant) => (await tenants.require(tenant)).quotas,
      routes: parts.publicRoutes,
    });
    await open('local', {
      authenticate: (text) => Promise.resolve(localPrincipal(text)),
      // Asking about a tenant must not make it; and the owner's own commands wait for nobody.
      quotas: () => Promise.resolve({ ...quotaDefaults, requestsPerMinute: Number.MAX_SAFE_INTEGER }),
      routes: parts.localRoutes,
    });
    return [];
  },
});

/** On Google only the bus itself knows how many wait. */
function backlogsOf(opened: OpenPlatform): RuleLifePorts['backlogs'] {
  return () => (opened.kind === 'embedded' ? opened.platform.backlogs() : Promise.resolve(undefined));
}

/** Series and groups as they are now: whoever changes them sees what the change before made. */
function seriesPorts(
  registry: Registry,
  newId: () => string,
): Pick<ControlPorts, 'series' | 'groups' | 'groupsNow' | 'calendars' | 'dueRecomputes'> {
  const uncached = { registry, nowMs, cacheMs: -1 };
  const series = new SeriesRegistry(uncached);
  const groups = { groups: new GroupRegistry(registry), groupsNow: new Groups({ ...uncached, series }) };
  const dueRecomputes = new DueRecomputes({ registry, nowMs, newId });
  return { series, ...groups, calendars: new RegisterCalendars(uncached), dueRecomputes };
}

function recomputeWaits(error: unknown): void {
  telemetry.logger.warn('what is to be computed anew waits: it goes on by itself', { error });
}

function dayCloser(
  { publisher, registry }: { readonly publisher: Publisher; readonly registry: Registry },
  ports: Pick<DayCloserPorts, 'tenants' | 'activations' | 'closedDays' | 'toldSince' | 'known'>,
): DayCloser {
  const series = new SeriesRegistry({ registry, nowMs, cacheMs: -1 });
  return new DayCloser({
    ...{ ...ports, series, publisher, nowMs, lane: 'bulk', graceMs: graceMsDefault },
    sleep: (ms, signal) => systemClock.sleep(ms, signal),
    onProblem: ({ tenant, message }) => {
      telemetry.logger.warn('days can not be closed yet', { tenant, problem: message });
    },
  });
}
