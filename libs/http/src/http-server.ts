import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { Telemetry } from '@meterflow/stage';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Admission, type AdmissionPorts } from './admission.ts';
import { listen, type Address } from './listen.ts';
import { openApi, type ApiFacts } from './open-api.ts';
import { Problem } from './problem.ts';
import { invalidRequest, problemOf } from './problem-of.ts';
import { limitedBytes, mediaType, readJson } from './request-body.ts';
import { requestBegins } from './requests-in-flight.ts';
import { defineRoute, jsonBytesMaxDefault, methods, type AdmittedRequest, type Reply, type Route } from './route.ts';

export interface HttpServerOptions extends AdmissionPorts {
  readonly telemetry: Telemetry;
  readonly api: ApiFacts;
  readonly routes: readonly Route[];
  /** Why this process does no work any more; undefined while it does. Behind `/livez`. */
  readonly notLive: () => string | undefined;
  /** Why requests should go elsewhere; undefined when they may come. Behind `/readyz`. */
  readonly notReady: () => string | undefined;
  /** Prometheus text behind `/metrics`, for operators; no such route without it. */
  readonly metrics?: () => string | Promise<string>;
  readonly newRequestId: () => string;
  /** After so long without a byte in either direction a connection is cut. */
  readonly silenceMsMax?: number;
  /** How long `close` waits for requests in work. */
  readonly closeMsMax?: number;
}

export interface HttpServer {
  readonly routes: readonly Route[];
  /** Returns the URL, or the socket's path. Throws ListenError. */
  listen(address: Address): Promise<string>;
  /** Takes no new connection, answers what is in work, then ends all connections. */
  close(): Promise<void>;
}

const silenceMsMaxDefault = 120_000;
const closeMsMaxDefault = 10_000;
const idleSweepMs = 50;
const discardMsMax = 5_000;
const requestIdPattern = /^[A-Za-z0-9._-]{1,64}$/;

/** An HTTP server over these routes, with `/livez`, `/readyz`, `/openapi.json` (also under `/v1`). */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const routes = options.metrics === undefined ? options.routes : [...options.routes, metricsRoute(options.metrics)];
  const server = fastify({
    genReqId: ({ headers }) => {
      const given = headers['x-request-id'];
      return typeof given === 'string' && requestIdPattern.test(given) ? given : options.newRequestId();
    },
    connectionTimeout: options.silenceMsMax ?? silenceMsMaxDefault,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 500 },
    // Routes have no schema of the framework's own. Its compilers are hundreds of modules, and most of a start.
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
    frameworkErrors: (error, request, reply) => {
      sendProblem(error, request, reply);
    },
  });
  const state = { draining: false };
  const sendProblem = (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const problem = problemOf(error, { log: options.telemetry.logger, requestId: request.id });
    void reply
      .code(problem.status)
      .headers(problem.headers)
      .type('application/problem+json; charset=utf-8')
      .send(JSON.stringify(problem.body(request.id)));
  };
  const admission = new Admission(options);

  // Bodies are read by the routes, within their own limits: the framework only hands them over.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, _payload, done) => {
    done(null);
  });
  server.setErrorHandler((error, request, reply) => {
    sendProblem(error, request, reply);
  });
  server.setNotFoundHandler((request, reply) => {
    sendProblem(notFound(routes, request), request, reply);
  });
  server.addHook('onSend', async (request, reply) => {
    await Promise.resolve();
    void reply.header('x-request-id', request.id);
    if (state.draining) {
      void reply.header('connection', 'close');
    }
  });
  server.addHook('onResponse', async (request, reply) => {
    await Promise.resolve();
    count(options.telemetry, request, reply);
    discardRest(request.raw);
  });
  addPublicRoutes(server, options, routes);
  for (const route of routes) {
    addRoute(server, route, { admission, telemetry: options.telemetry });
  }
  return {
    routes,
    listen: (address) => listen(server, address),
    close: () => {
      state.draining = true;
      return close(server, options.closeMsMax ?? closeMsMaxDefault);
    },
  };
}

function noCompiler(): never {
  throw new Error('routes are checked by their own schemas');
}

function addPublicRoutes(server: FastifyInstance, options: HttpServerOptions, routes: readonly Route[]): void {
  const health = (reply: FastifyReply, reason: string | undefined): FastifyReply =>
    reply
      .code(reason === undefined ? 200 : 503)
      .send(reason === undefined ? { status: 'ok' } : { status: 'failing', reason });
  server.get('/livez', (_request, reply) => health(reply, options.notLive()));
  server.get('/readyz', (_request, reply) => health(reply, options.notReady()));
  const document = openApi(options.api, routes);
  server.get('/openapi.json', () => document);
  server.get('/v1/openapi.json', () => document);
}

function metricsRoute(metrics: () => string | Promise<string>): Route {
  return defineRoute({
    method: 'GET',
    path: '/metrics',
    operationId: 'metrics',
    summary: 'What the services count, as Prometheus text',
    roles: ['operator'],
    answers: { 200: { description: 'The metrics', mediaType: 'text/plain' } },
    handle: async () => ({
      headers: { 'content-type': 'text/plain; version=0.0.4' },
      stream: Readable.from([await metrics()]),
    }),
  });
}

interface RouteParts {
  readonly admission: Admission;
  readonly telemetry: Telemetry;
}

function addRoute(server: FastifyInstance, route: Route, { admission, telemetry }: RouteParts): void {
  server.route({
    method: route.method,
    url: route.path.replaceAll(/\{(\w+)\}/g, ':$1'),
    handler: async (request, reply) => {
      const gone = new AbortController();
      const ends = requestBegins(telemetry, route.path);
      // Before anything is waited for: who goes away meanwhile would be in work for ever.
      reply.raw.once('close', () => {
        ends();
        if (!reply.raw.writableFinished) {
          gone.abort();
        }
      });
      const { principal, quotas } = await admission.admit(route, request.headers.authorization);
      const bytes = limitedBytes(request.raw.iterator({ destroyOnReturn: false }), {
        bytesMax: Math.min(route.bodyBytesMax ?? jsonBytesMaxDefault, quotas.bytesPerRequest),
        announced: request.headers['content-length'],
      });
      const admitted: AdmittedRequest<unknown, unknown, unknown> = {
        id: request.id,
        principal,
        quotas,
        params: parsed('params', route.params, request.params),
        query: parsed('query', route.query, request.query),
        body: await bodyOf(route, request, bytes),
        bytes,
        header: (name) => {
          const value = request.headers[name];
          return Array.isArray(value) ? value.join(', ') : value;
        },
        signal: gone.signal,
      };
      return send(reply, await route.handle(admitted));
    },
  });
}

async function bodyOf(route: Route, request: FastifyRequest, bytes: AsyncIterable<Uint8Array>): Promise<unknown> {
  const type = mediaType(request.headers['content-type']);
  if (route.takesBytes !== undefined && !route.takesBytes.includes(type)) {
    throw new Problem('unsupported-media-type', `"${type}" is none of ${route.takesBytes.join(', ')}`);
  }
  if (route.body === undefined) {
    return undefined;
  }
  if (type !== 'application/json') {
    throw new Problem('unsupported-media-type', `"${type}" is not application/json`);
  }
  return parsed('body', route.body, await readJson(bytes));
}

function parsed(part: 'params' | 'query' | 'body', schema: z.ZodType | undefined, value: unknown): unknown {
  if (schema === undefined) {
    return undefined;
  }
  const result = schema.safeParse(value);
  if (!result.success) {
    throw invalidRequest(part, result.error);
  }
  return result.data;
}

function send(reply: FastifyReply, answer: Reply): FastifyReply {
  const headers = answer.headers ?? {};
  if (answer.stream !== undefined) {
    return reply
      .code(answer.status ?? 200)
      .headers(headers)
      .send(Readable.from(answer.stream, { objectMode: false }));
  }
  if (answer.json === undefined) {
    return reply
      .code(answer.status ?? 204)
      .headers(headers)
      .send();
  }
  return reply
    .code(answer.status ?? 200)
    .type('application/json; charset=utf-8')
    .headers(headers)
    .send(JSON.stringify(answer.json));
}

function notFound(routes: readonly Route[], request: FastifyRequest): Problem {
  const path = request.url.split('?')[0] ?? '';
  const allow = routes.filter((route) => matches(route.path, path)).map(({ method }) => method);
  return allow.length === 0
    ? new Problem('not-found', `there is nothing at ${path}`)
    : new Problem('method-not-allowed', `${path} has no ${request.method}`, { allow });
}

function matches(template: string, path: string): boolean {
  const [expected, given] = [template.split('/'), path.split('/')];
  return (
    expected.length === given.length &&
    expected.every((segment, index) => segment.startsWith('{') || segment === given[index])
  );
}

/**
 * Takes what is left of a body that nobody wants, for a while: cutting the connection at once would often cost the
 * client the answer that says why.
 */
function discardRest(request: IncomingMessage): void {
  if (request.complete) {
    return;
  }
  request.resume();
  const cut = setTimeout(() => request.destroy(), discardMsMax);
  request.once('close', () => {
    clearTimeout(cut);
  });
}

const otherMethod = 'other';

function count(telemetry: Telemetry, request: FastifyRequest, reply: FastifyReply): void {
  const method = methods.find((known) => known === request.method) ?? otherMethod;
  const labels = { route: request.routeOptions.url ?? 'none', method, status: String(reply.statusCode) };
  telemetry.count('http_requests_total', 1, labels);
  telemetry.observe('http_request_duration_ms', reply.elapsedTime, { route: labels.route });
  telemetry.logger.debug('request', { ...labels, requestId: request.id, ms: Math.round(reply.elapsedTime) });
}

async function close(server: FastifyInstance, closeMsMax: number): Promise<void> {
  // A connection becomes idle when its last answer is out, and nobody tells: look.
  const sweep = setInterval(() => {
    server.server.closeIdleConnections();
  }, idleSweepMs);
  const cut = setTimeout(() => {
    server.server.closeAllConnections();
  }, closeMsMax);
  try {
    await server.close();
  } finally {
    clearInterval(sweep);
    clearTimeout(cut);
  }
}
