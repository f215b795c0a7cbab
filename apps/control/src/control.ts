import { createHttpServer, type HttpServer, type HttpServerOptions, type Route } from '@meterflow/http';
import type { ControlPorts } from './ports.ts';
import { aggregatesRoute } from './routes/aggregates.ts';
import { missingRoute } from './routes/missing.ts';
import { auditRoute } from './routes/audit.ts';
import { backtestRoute } from './routes/backtests.ts';
import { calendarRoutes } from './routes/calendars.ts';
import { deadLetterRoutes } from './routes/dead-letters.ts';
import { erasureRoutes } from './routes/erasures.ts';
import { explainRoute } from './routes/explain.ts';
import { groupRoutes } from './routes/groups.ts';
import { keyRoutes } from './routes/keys.ts';
import { readingsRoute } from './routes/readings.ts';
import { registryFileRoutes } from './routes/registry-files.ts';
import { recomputesRoute } from './routes/recomputes.ts';
import { reprocessRoutes } from './routes/reprocesses.ts';
import { seriesRoutes } from './routes/series-settings.ts';
import { activationRoutes } from './routes/activations.ts';
import { ruleRoutes } from './routes/rules.ts';
import { sourcesRoutes } from './routes/sources.ts';
import { statusRoute } from './routes/status.ts';
import { tenantRoutes } from './routes/tenants.ts';

/** The catalogue of the control API. */
export function controlRoutes(ports: ControlPorts): readonly Route[] {
  return [
    readingsRoute(ports),
    aggregatesRoute(ports),
    missingRoute(ports),
    explainRoute(ports),
    ...sourcesRoutes(ports),
    ...deadLetterRoutes(ports),
    ...erasureRoutes(ports),
    statusRoute(ports),
    ...tenantRoutes(ports),
    ...seriesRoutes(ports),
    ...registryFileRoutes(ports),
    ...groupRoutes(ports),
    ...calendarRoutes(ports),
    ...keyRoutes(ports),
    ...ruleRoutes(ports),
    ...activationRoutes(ports),
    backtestRoute(ports),
    ...reprocessRoutes(ports),
    recomputesRoute(ports),
    auditRoute(ports),
  ];
}

/** How requests come in, and further routes that this process answers. */
export type ControlAccess = Omit<HttpServerOptions, 'routes' | 'api' | 'nowMs'> & {
  readonly routes?: readonly Route[];
};

const api = {
  title: 'meterflow',
  version: '1',
  description:
    'Readings, aggregates, receipts, dead letters, rules, tenants and keys. The tenant comes from the API key. Values are ' +
    'exact decimal numbers: read them with a decimal parser where float64 is not enough. Instants are ISO 8601, UTC.',
};

/** The control API as a server. A process may make several over the same ports: one for the world, one for its owner. */
export function createControl(ports: ControlPorts, access: ControlAccess): HttpServer {
  const routes = [...controlRoutes(ports), ...(access.routes ?? [])];
  return createHttpServer({ ...access, routes, api, nowMs: ports.nowMs });
}
