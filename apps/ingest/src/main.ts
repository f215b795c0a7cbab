import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { subscriptionName, subscriptionsByTopic } from '@meterflow/contracts';
import { dataDirectory } from '@meterflow/embedded';
import type { Lifecycle } from '@meterflow/graceful-shutdown';
import { createHttpServer, localPrincipal, type HttpServerOptions } from '@meterflow/http';
import { configured, openPlatform } from '@meterflow/platform';
import { Keys, Tenants } from '@meterflow/registry';
import { publicAddress, runService, stageRun, type Waiting } from '@meterflow/service';
import { systemClock } from '@meterflow/stage';
import { createTelemetry, serveOperations } from '@meterflow/telemetry';
import { watchedSubscriptions } from './back-pressure.ts';
import { fatalWatched, toldToOwner } from './fatal-watch.ts';
import { parseIngestConfig } from './ingest-config.ts';
import { createIngest } from './ingest.ts';
import { uploadKeptMs, uploadSweepEveryMs } from './limits.ts';

const config = configured(parseIngestConfig);
const telemetry = createTelemetry({ service: 'ingest', level: config.logLevel, otlp: config.otlp });
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
    // Fatal to one call is fatal to all: the supervisor starts this process anew, or sees that it can't be started.
    const stop = (error: unknown): void => void lifecycle.fail(error, config.drainMs);
    const registry = fatalWatched(platform.registry, stop);
    const sources = fatalWatched(platform.sources, stop);
    const uploads = fatalWatched(platform.uploads, stop);
    const publisher = fatalWatched(platform.publisher, stop);
    const directory = dataDirectory(config.dataDir);
    const ports = { registry, sources, uploads, publisher, clock: systemClock, telemetry, signal: lifecycle.signal };
    const backlogs = (): Promise<readonly Waiting[]> => platform.backlogs(watchedSubscriptions);
    const ingest = createIngest({ ...ports, backlogs }, { ...config, dropDirectory: directory.drop });
    lifecycle.register('work', () => ingest.settle());

    const tenants = new Tenants({ registry, nowMs });
    const server: Omit<HttpServerOptions, 'routes' | 'authenticate'> = {
      telemetry,
      api: { title: 'meterflow ingest', version: '1', description: 'Takes readings in.' },
      notLive: () => undefined,
      notReady: () => (lifecycle.ready ? undefined : lifecycle.state),
      newRequestId: randomUUID,
      quotas: async (tenant) => (await tenants.ensure(tenant)).quotas,
      nowMs,
    };
    const keys = new Keys({ registry, nowMs, randomBytes });
    const forKeys = createHttpServer({
      ...server,
      routes: ingest.routes,
      authenticate: (text) => keys.authenticate(text),
    });
    await forKeys.listen(publicAddress(config.httpPort, join(directory.run, 'ingest.public.sock')));
    lifecycle.register('public socket', () => forKeys.close());
    const forOwner = createHttpServer({
      ...server,
      routes: ingest.localRoutes,
      authenticate: (text) => Promise.resolve(localPrincipal(text)),
      quotas: (tenant) => toldToOwner(() => server.quotas(tenant)),
    });
    await forOwner.listen({ socket: join(directory.run, 'ingest.local.sock') });
    lifecycle.register('local socket', () => forOwner.close());

    const looking = ingest.dropFolder.run(lifecycle.signal);
    lifecycle.register('drop folder', () => looking);
    if (opened.kind === 'embedded') {
      // Elsewhere they go by their age.
      sweepUploads(lifecycle, (beforeMs) => opened.platform.uploads.sweep(beforeMs));
    }
    return config.lanes.map((lane) => {
      const { stage, sink } = ingest.topicDoor(lane);
      return stageRun(stage, {
        platform,
        subscription: subscriptionName('ingest', lane),
        sink,
        downstream: subscriptionsByTopic['readings.accepted'].map((name) => subscriptionName(name, lane)),
        lane,
        owner: config.owner,
        telemetry,
      });
    });
  },
});

/** Removes, now and then, what processes that died left of bodies. */
function sweepUploads(lifecycle: Lifecycle, sweep: (beforeMs: number) => Promise<number>): void {
  const once = (): void => {
    sweep(nowMs() - uploadKeptMs).catch((error: unknown) => {
      telemetry.logger.warn('left uploads could not be removed; it is tried again', { error });
    });
  };
  once();
  const again = setInterval(once, uploadSweepEveryMs);
  lifecycle.register('upload sweep', () => {
    clearInterval(again);
  });
}
