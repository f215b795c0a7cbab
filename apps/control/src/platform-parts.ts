import { randomBytes } from 'node:crypto';
import { dataDirectory, erasablePlaces, openSqlEngine, storedDays, type EmbeddedPlatform } from '@meterflow/embedded';
import type { Lifecycle } from '@meterflow/graceful-shutdown';
import type { Route } from '@meterflow/http';
import type { GooglePlatform, OpenPlatform } from '@meterflow/platform';
import type { ProcessTelemetry } from '@meterflow/telemetry';
import type { StoredDays } from '@meterflow/service';
import type { Publisher } from '@meterflow/stage';
import { embeddedExport } from './embedded-export.ts';
import { erasureDesk } from './erasure-desk.ts';
import { observeBacklogs } from './observe-backlogs.ts';
import type { ControlPorts, ErasureDesk, RecomputeDesk } from './ports.ts';
import { recomputeDesk } from './recompute-desk.ts';
import { bigtableRaw, embeddedRaw } from './reprocess/stored-raw.ts';
import type { StoredRaw } from './reprocess/told-days.ts';
import { localRoutes, type LocalPorts } from './routes/local.ts';
import { sqlRoute } from './routes/sql.ts';
import { warehouseSqlRoute } from './routes/warehouse-sql.ts';

/** What of control stands on a kind of platform. */
export interface PlatformParts {
  readonly erasures: ErasureDesk;
  readonly history: ControlPorts['history'];
  readonly recomputes: RecomputeDesk;
  /** What there is of raw readings. */
  readonly storedRaw: StoredRaw;
  readonly publicRoutes: readonly Route[];
  readonly localRoutes: readonly Route[];
}

/** SQL and the backlogs of the bus are the embedded engine's alone: on Google, BigQuery and Cloud Monitoring have them. */
export function platformParts(
  opened: OpenPlatform,
  {
    dataDir,
    lifecycle,
    telemetry,
    nowMs,
  }: {
    readonly dataDir: string;
    readonly lifecycle: Lifecycle;
    readonly telemetry: ProcessTelemetry;
    readonly nowMs: () => number;
  },
): PlatformParts {
  const newId = (): string => randomBytes(6).toString('hex');
  const recomputesOf = (publisher: Publisher, storedDays: StoredDays): RecomputeDesk =>
    recomputeDesk({ storedDays, publisher, lane: 'bulk', newKey: () => randomBytes(16).toString('hex') });
  if (opened.kind !== 'embedded') {
    const { platform } = opened;
    const { stores } = platform;
    const sql = warehouseSqlRoute(platform.warehouse);
    const stop = new AbortController();
    const compaction = platform.compact(telemetry, stop.signal);
    lifecycle.register('compaction', async () => {
      stop.abort();
      await compaction;
    });
    return {
      erasures: erasureDesk(() => platform.erasablePlaces(telemetry), { nowMs, newId }),
      history: (layer) => stores.readings(layer),
      recomputes: recomputesOf(platform.publisher, (scope) => platform.stores.readings('validated').storedDays(scope)),
      storedRaw: bigtableRaw(platform.stores),
      publicRoutes: [sql],
      localRoutes: [sql, ...localRoutes(googlePorts(platform))],
    };
  }
  const { platform } = opened;
  const directory = dataDirectory(dataDir).root;
  telemetry.onCollect(() => {
    observeBacklogs(platform.bus.backlog(), telemetry, nowMs());
  });
  // Its process starts when the first query comes.
  const sql = openSqlEngine({ directory });
  lifecycle.register('sql', () => sql.close());
  return {
    erasures: erasureDesk(() => erasablePlaces(platform), { nowMs, newId }),
    history: (layer) => platform.readings(layer),
    recomputes: recomputesOf(platform.publisher, storedDays(platform)),
    storedRaw: embeddedRaw(platform.readings('raw')),
    publicRoutes: [sqlRoute({ sql }, 'own-tenant')],
    localRoutes: [sqlRoute({ sql }, 'all-tenants'), ...localRoutes(embeddedPorts(platform, directory))],
  };
}

function embeddedPorts({ bus }: EmbeddedPlatform, directory: string): LocalPorts {
  return {
    exportLines: (signal) => embeddedExport(directory, signal),
    replay: (request) => {
      bus.replay(request);
      return Promise.resolve(bus.backlog().find(({ subscription }) => subscription === request.subscription)?.messages);
    },
  };
}

function googlePorts({ stores, replay }: GooglePlatform): LocalPorts {
  return {
    exportLines: (signal) => untilAborted(stores.exportLines(), signal),
    replay: async (request) => {
      await replay.replay(request);
      return undefined;
    },
  };
}

async function* untilAborted(lines: AsyncIterable<string>, signal: AbortSignal): AsyncGenerator<string> {
  for await (const piece of lines) {
    signal.throwIfAborted();
    yield piece;
  }
}
