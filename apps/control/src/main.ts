import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { openEmbeddedPlatform, openSqlEngine } from '@meterflow/embedded';
import { localPrincipal } from '@meterflow/http';
import { Activations, Keys, quotaDefaults, Tenants } from '@meterflow/registry';
import { operationsSocket, parseServiceConfig, runService } from '@meterflow/service';
import { systemClock } from '@meterflow/stage';
import { createTelemetry, gatherMetrics, serveOperations } from '@meterflow/telemetry';
import { createControl, type ControlAccess } from './control.ts';
import { deadLetterDesk } from './dead-letter-desk.ts';
import { erasureDesk } from './erasure-desk.ts';
import { ensureFirstKey } from './first-key.ts';
import { observeBacklogs } from './observe-backlogs.ts';
import type { ControlPorts } from './ports.ts';
import { localRoutes } from './routes/local.ts';
import { sqlRoute } from './routes/sql.ts';

const config = parseServiceConfig(process.env, { service: 'control', pid: process.pid });
const telemetry = createTelemetry({ service: 'control', level: config.logLevel, otlp: config.otlp });
/** Whose metrics this one hands out together with its own. */
const services = ['ingest', 'rule-execution', 'persistence', 'aggregation', 'control'];
const nowMs = (): number => systemClock.nowMs();

await runService({
  telemetry,
  tell: (probe) => serveOperations(config.operations, probe),
  drainMs: config.drainMs,
  stuckMs: config.stuckMs,
  open: async (lifecycle) => {
    const platform = openEmbeddedPlatform({ root: config.dataDir, owner: config.owner, telemetry });
    lifecycle.register('platform', () => platform.close());
    const { registry, deadLetters, publisher, directory } = platform;
    telemetry.onCollect(() => {
      observeBacklogs(platform.bus.backlog(), telemetry, nowMs());
    });
    const tenants = new Tenants({ registry, nowMs });
    const keys = new Keys({ registry, nowMs, randomBytes });
    const activations = new Activations({ registry, nowMs, activationLeaseMs: 0 });
    await ensureFirstKey(join(directory.root, 'operator.key'), { tenants, keys });
    const ports: ControlPorts = {
      readings: (layer) => platform.readings(layer),
      aggregates: platform.aggregates,
      sources: platform.sources,
      tenants,
      keys,
      deadLetters: deadLetterDesk({ deadLetters, publisher, activations }),
      erasures: erasureDesk(platform, { nowMs, newId: () => randomBytes(6).toString('hex') }),
      backlogs: () => Promise.resolve(platform.bus.backlog()),
      nowMs,
      sleep: (ms, signal) => systemClock.sleep(ms, signal),
    };
    const access: Omit<ControlAccess, 'authenticate' | 'quotas'> = {
      telemetry,
      notLive: () => undefined,
      notReady: () => (lifecycle.ready ? undefined : lifecycle.state),
      metrics: () =>
        gatherMetrics(services.map((service) => ({ service, socket: operationsSocket(config.dataDir, service) }))),
      newRequestId: randomUUID,
    };
    // Its process starts when the first query comes.
    const sql = openSqlEngine({ directory: directory.root });
    lifecycle.register('sql', () => sql.close());
    const open = async (
      name: string,
      own: Pick<ControlAccess, 'authenticate' | 'quotas' | 'routes'>,
    ): Promise<void> => {
      const server = createControl(ports, { ...access, ...own });
      await server.listen({ socket: join(directory.run, `control.${name}.sock`) });
      lifecycle.register(`${name} socket`, () => server.close());
    };
    await open('public', {
      authenticate: (text) => keys.authenticate(text),
      quotas: async (tenant) => (await tenants.require(tenant)).quotas,
      routes: [sqlRoute({ sql }, 'own-tenant')],
    });
    await open('local', {
      authenticate: (text) => Promise.resolve(localPrincipal(text)),
      // Asking about a tenant must not make it; and the owner's own commands wait for nobody.
      quotas: () => Promise.resolve({ ...quotaDefaults, requestsPerMinute: Number.MAX_SAFE_INTEGER }),
      routes: [sqlRoute({ sql }, 'all-tenants'), ...localRoutes({ directory: directory.root, bus: platform.bus })],
    });
    return [];
  },
});
