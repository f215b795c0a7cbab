import { randomBytes } from 'node:crypto';
import { dataDirectory, openSqlEngine, type EmbeddedPlatform } from '@meterflow/embedded';
import type { Lifecycle } from '@meterflow/graceful-shutdown';
import type { Route } from '@meterflow/http';
import type { GooglePlatform, OpenPlatform } from '@meterflow/platform';
import type { ProcessTelemetry } from '@meterflow/telemetry';
import { embeddedExport } from './embedded-export.ts';
import { erasureDesk } from './erasure-desk.ts';
import { observeBacklogs } from './observe-backlogs.ts';
import type { ErasureDesk, RecomputeDesk } from './ports.ts';
import { recomputeDesk } from './recompute-desk.ts';
import { localRoutes, type LocalPorts } from './routes/local.ts';
import { sqlRoute } from './routes/sql.ts';

/** What control offers on one kind of platform and not on another. */
export interface PlatformParts {
  readonly erasures?: ErasureDesk;
  readonly recomputes?: RecomputeDesk;
  readonly publicRoutes: readonly Route[];
  readonly localRoutes: readonly Route[];
}

/** The canonical export and replay on each; SQL, erasure and the backlogs of the bus of the embedded engine alone, as yet. */
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
  if (opened.kind !== 'embedded') {
    return { publicRoutes: [], localRoutes: localRoutes(googlePorts(opened.platform)) };
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
    erasures: erasureDesk(platform, { nowMs, newId: () => randomBytes(6).toString('hex') }),
    recomputes: recomputeDesk({
      readings: platform.readings('validated'),
      publisher: platform.publisher,
      lane: 'bulk',
      newKey: () => randomBytes(16).toString('hex'),
    }),
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
