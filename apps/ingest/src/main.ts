import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { builtInMappings } from '@meterflow/formats';
import { openEmbeddedPlatform } from '@meterflow/embedded';
import { createHttpServer, localPrincipal, type HttpServerOptions } from '@meterflow/http';
import { activationLeaseMsDefault, Activations, Tenants } from '@meterflow/registry';
import { parseServiceConfig, runService } from '@meterflow/service';
import { systemClock } from '@meterflow/stage';
import { createTelemetry } from '@meterflow/telemetry';
import { importRoute } from './import-route.ts';
import type { TakeInPorts } from './take-in.ts';

const config = parseServiceConfig(process.env, { service: 'ingest', pid: process.pid });
const telemetry = createTelemetry({ service: 'ingest', level: config.logLevel });
const nowMs = (): number => systemClock.nowMs();

await runService({
  telemetry,
  drainMs: config.drainMs,
  stuckMs: config.stuckMs,
  open: async (lifecycle) => {
    const platform = openEmbeddedPlatform({ root: config.dataDir, owner: config.owner, telemetry });
    lifecycle.register('platform', () => platform.close());
    const { registry, sources, publisher } = platform;
    const activations = new Activations({ registry, nowMs, activationLeaseMs: activationLeaseMsDefault });
    const tenants = new Tenants({ registry, nowMs });
    const ports: TakeInPorts = {
      sources,
      publisher,
      clock: systemClock,
      telemetry,
      newestActivation: async (tenant) => (await activations.newest(tenant)).number,
      startsFromMs: () => 0,
      signal: lifecycle.signal,
    };
    const server: Omit<HttpServerOptions, 'routes' | 'authenticate'> = {
      telemetry,
      api: { title: 'meterflow ingest', version: '1', description: 'Takes readings in.' },
      notLive: () => undefined,
      notReady: () => (lifecycle.ready ? undefined : lifecycle.state),
      newRequestId: randomUUID,
      quotas: async (tenant) => (await tenants.ensure(tenant)).quotas,
      nowMs,
    };
    const local = createHttpServer({
      ...server,
      routes: [importRoute(ports, (_, name) => Promise.resolve(builtInMappings.find((mapping) => mapping.name === name)))],
      authenticate: (text) => Promise.resolve(localPrincipal(text)),
    });
    await local.listen({ socket: join(platform.directory.run, 'ingest.local.sock') });
    lifecycle.register('local socket', () => local.close());
    return [];
  },
});
