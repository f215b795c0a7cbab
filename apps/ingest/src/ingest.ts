import { RequestQuota, type Route } from '@meterflow/http';
import type { Sources, Uploads } from '@meterflow/receipts';
import {
  activationLeaseMsDefault,
  Activations,
  KeptLengths,
  SeriesEnds,
  SeriesRegistry,
  Tenants,
  UnknownSeries,
  type Registry,
} from '@meterflow/registry';
import type { Clock, Publisher, Sink, Telemetry } from '@meterflow/stage';
import { BackPressure, type Backlog } from './back-pressure.ts';
import { DropFolder } from './drop-folder.ts';
import { editRoute } from './edit-route.ts';
import { Imports, importRoute } from './import-route.ts';
import type { IngestConfig } from './ingest-config.ts';
import {
  bodiesInMemoryBytesMax,
  requestPatienceMs,
  requestsInWorkMax,
  requestsInWorkPerTenantMax,
  retentionMarginDays,
} from './limits.ts';
import { mappingRoutes } from './mapping-routes.ts';
import { Mappings } from './mappings.ts';
import { pushRoute } from './push-route.ts';
import type { SourceRequest, TakeInPorts } from './source-request.ts';
import { TopicDoorStage, topicDoorSink } from './topic-door.ts';
import { Workload } from './workload.ts';

export interface IngestPorts {
  readonly registry: Registry;
  readonly sources: Sources;
  readonly uploads: Uploads;
  readonly publisher: Publisher;
  readonly backlogs: () => Promise<readonly Backlog[]>;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Aborts when the process drains: files are resumed later, while requests are still answered. */
  readonly signal: AbortSignal;
}

export interface IngestOptions extends Pick<
  IngestConfig,
  'readingsRetentionDays' | 'liveBacklogBytesMax' | 'liveBacklogAgeMsMax'
> {
  readonly dropDirectory: string;
  readonly bodyInMemoryBytesMax?: number;
  readonly requestsInWorkMax?: number;
}

export interface Ingest {
  /** For whoever has a key. */
  readonly routes: readonly Route[];
  /** For whoever owns the data directory. */
  readonly localRoutes: readonly Route[];
  readonly dropFolder: DropFolder;
  /** For the providers' topic of a lane. */
  readonly topicDoor: (lane: string) => { readonly stage: TopicDoorStage; readonly sink: Sink<SourceRequest> };
  /** Resolves when no request and no import is in work any more. Call it when none comes in any more. */
  settle(): Promise<void>;
}

const dayMs = 86_400_000;

/** All doors of ingest over one set of ports. */
export function createIngest(ports: IngestPorts, options: IngestOptions): Ingest {
  const { registry, clock, telemetry, uploads, signal } = ports;
  const nowMs = (): number => clock.nowMs();
  const mappings = new Mappings({ registry, nowMs });
  const tenants = new Tenants({ registry, nowMs });
  const workload = new Workload({
    requestsMax: options.requestsInWorkMax ?? requestsInWorkMax,
    requestsPerTenantMax: requestsInWorkPerTenantMax,
    inMemoryBytesMax: bodiesInMemoryBytesMax,
  });
  const backPressure = new BackPressure({
    backlogs: ports.backlogs,
    nowMs,
    backlogBytesMax: options.liveBacklogBytesMax,
    backlogAgeMsMax: options.liveBacklogAgeMsMax,
  });
  const files = takeInPorts(ports, { mappings, tenants, options });
  const closed = new AbortController();
  const requests: TakeInPorts = { ...files, signal: closed.signal, patienceMs: requestPatienceMs };
  const { bodyInMemoryBytesMax } = options;
  const pushes = {
    takeIn: requests,
    uploads,
    mappings,
    workload,
    backPressure,
    ...(bodyInMemoryBytesMax === undefined ? {} : { bodyInMemoryBytesMax }),
  };
  const imports = new Imports();
  const routes = [pushRoute(pushes), editRoute(pushes), ...mappingRoutes(mappings)];
  const requestQuota = new RequestQuota(nowMs);
  const door = { takeIn: { ...files, signal }, mappings, tenants, requests: requestQuota, telemetry };
  return {
    routes,
    localRoutes: [...routes, importRoute({ ...door, imports })],
    dropFolder: new DropFolder({ directory: options.dropDirectory, tenants, door, clock, telemetry }),
    topicDoor: (lane) => ({
      stage: new TopicDoorStage({ takeIn: requests, mappings, tenants }, lane),
      sink: topicDoorSink(requests),
    }),
    settle: async () => {
      closed.abort();
      await Promise.all([workload.settled(), imports.settled()]);
    },
  };
}

interface TakeInParts {
  readonly mappings: Mappings;
  readonly tenants: Tenants;
  readonly options: IngestOptions;
}

function takeInPorts(
  { registry, sources, publisher, clock, telemetry, signal }: IngestPorts,
  { mappings, tenants, options }: TakeInParts,
): TakeInPorts {
  const nowMs = (): number => clock.nowMs();
  const activations = new Activations({ registry, nowMs, activationLeaseMs: activationLeaseMsDefault });
  const series = new SeriesRegistry({ registry, nowMs, cacheMs: activationLeaseMsDefault });
  return {
    sources,
    publisher,
    clock,
    telemetry,
    newestActivation: async (tenant) => (await activations.newest(tenant)).number,
    mappingAt: (tenant, version) => mappings.at(tenant, version),
    lengths: new KeptLengths({ registry, series }),
    ends: new SeriesEnds(registry),
    refusesUnknown: async (tenant) => (await tenants.get(tenant))?.unknownSeries === 'refuse',
    unknown: new UnknownSeries(registry),
    keptMs: (options.readingsRetentionDays - retentionMarginDays) * dayMs,
    signal,
  };
}
