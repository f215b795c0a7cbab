import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { Agent, createServer, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Keys, Tenants, type Role } from '@meterflow/registry';
import { MemoryRegistry } from '@meterflow/registry/testing';
import { silentTelemetry, TransientError } from '@meterflow/stage';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  createHttpServer,
  defineRoute,
  exactNumber,
  ListenError,
  Problem,
  type HttpServer,
  type Route,
} from './index.ts';
import { describeAdmission } from './testing/index.ts';

const echo = z.object({ text: z.string().max(10), count: z.number().int().optional() });
const release = Promise.withResolvers<undefined>();

const routes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/v1/things/{id}',
    operationId: 'getThing',
    summary: 'One thing',
    roles: ['customer', 'operator'],
    params: z.object({ id: z.string() }),
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(10).default(5).describe('how many') }),
    answers: { 200: { description: 'The thing', schema: z.object({ id: z.string(), value: z.number() }) } },
    handle: ({ params, query, principal }) =>
      Promise.resolve({ json: { ...params, ...query, tenant: principal.tenant, value: exactNumber('0.10') } }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/echo',
    operationId: 'echo',
    summary: 'The same again',
    roles: ['provider'],
    body: echo,
    bodyBytesMax: 64,
    answers: { 201: { description: 'The same', schema: echo } },
    handle: ({ body }) => Promise.resolve({ status: 201, json: body }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/bytes',
    operationId: 'putBytes',
    summary: 'Counts bytes',
    roles: ['provider'],
    takesBytes: ['text/csv'],
    bodyBytesMax: 1_000_000,
    answers: { 200: { description: 'How many' } },
    handle: async ({ bytes }) => {
      let count = 0;
      for await (const piece of bytes) {
        count += piece.length;
      }
      return { json: { count } };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/slow',
    operationId: 'slow',
    summary: 'Waits',
    roles: ['operator'],
    answers: { 204: { description: 'Done' } },
    handle: async () => {
      await release.promise;
      return {};
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/failing/{how}',
    operationId: 'fail',
    summary: 'Fails',
    roles: ['operator'],
    params: z.object({ how: z.string() }),
    answers: { 204: { description: 'Never' } },
    handle: ({ params }) => {
      throw params.how === 'transient'
        ? new TransientError('the store is down')
        : params.how === 'conflict'
          ? new Problem('conflict', 'it was changed meanwhile')
          : new Error('secret detail');
    },
  }),
];

async function makeServer(requestsPerMinute = 6_000) {
  const registry = new MemoryRegistry();
  const clock = { nowMs: 0 };
  const ports = { registry, nowMs: () => clock.nowMs, randomBytes: (count: number) => randomBytes(count) };
  const [tenants, keys] = [new Tenants(ports), new Keys(ports)];
  await tenants.create('acme', { requestsPerMinute });
  await tenants.create('other', { requestsPerMinute, bytesPerRequest: 8 });
  const issue = async (tenant: string, role: Role) => (await keys.create({ tenant, role, label: '' })).text;
  let ids = 0;
  const state = { notReady: undefined as string | undefined };
  const gauges = new Map<string, number>();
  const server = createHttpServer({
    telemetry: {
      ...silentTelemetry,
      gauge: (name, value, labels = {}) => void gauges.set(`${name} ${Object.values(labels).join()}`, value),
    },
    api: { title: 'Test', version: '1', description: '' },
    routes,
    authenticate: (text) => keys.authenticate(text),
    quotas: async (tenant) => (await tenants.require(tenant)).quotas,
    nowMs: () => clock.nowMs,
    notLive: () => undefined,
    notReady: () => state.notReady,
    metrics: () => 'a_total 1\n',
    newRequestId: () => `r${++ids}`,
  });
  const issued = {
    provider: await issue('acme', 'provider'),
    customer: await issue('acme', 'customer'),
    operator: await issue('acme', 'operator'),
  };
  return { server, clock, state, gauges, issue, keys: issued };
}

describeAdmission('a server', {
  routes: routes.filter(({ path }) => path !== '/v1/slow'),
  make: async () => {
    const { server, keys } = await makeServer();
    return { server, keys, close: () => Promise.resolve() };
  },
});

describe('a server', () => {
  let made: Awaited<ReturnType<typeof makeServer>>;
  let url: string;
  let closed = false;
  const closeOnce = async (server: HttpServer): Promise<void> => {
    closed = true;
    await server.close();
  };
  beforeEach(async () => {
    made = await makeServer();
    url = await made.server.listen({ host: '127.0.0.1', port: 0 });
    closed = false;
  });
  afterEach(async () => {
    if (!closed) {
      await made.server.close();
    }
  });

  const call = (path: string, role: Role, init: RequestInit = {}): Promise<Response> =>
    fetch(url + path, {
      ...init,
      headers: { authorization: `Bearer ${made.keys[role]}`, ...(init.headers as Record<string, string> | undefined) },
    });
  const json = { 'content-type': 'application/json' };
  const post = (path: string, body: string, headers: Record<string, string> = json): Promise<Response> =>
    call(path, 'provider', { method: 'POST', body, headers });

  test('gives a handler what its schemas say, and the tenant of the key', async () => {
    const answer = await call('/v1/things/a%2Fb?limit=7', 'customer');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await answer.text()).toBe('{"id":"a/b","limit":7,"tenant":"acme","value":0.10}');
    expect(await (await post('/v1/echo', '{"text":"hi"}')).json()).toEqual({ text: 'hi' });
  });

  test('answers every problem as RFC 9457 has it, with a stable code and what to do', async () => {
    const answer = await call('/v1/things/x?limit=99&tenant=other', 'customer');
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    const problem = (await answer.json()) as Record<string, unknown>;
    expect(problem).toMatchObject({
      type: 'urn:meterflow:problem:invalid-request',
      status: 400,
      code: 'invalid-request',
      requestId: answer.headers.get('x-request-id'),
    });
    expect(problem['action']).toEqual(expect.stringContaining('errors'));
    expect(JSON.stringify(problem['errors'])).toContain('query.limit');
  });

  test.each([
    ['bad JSON', '{"text":', json, 400, 'invalid-json'],
    ['bytes that are no UTF-8', '\ud800', json, 400, 'invalid-json'],
    ['a body that does not fit', '{"text":5}', json, 400, 'invalid-request'],
    ['no body', '', json, 400, 'invalid-json'],
    ['another content type', 'text', { 'content-type': 'text/plain' }, 415, 'unsupported-media-type'],
    ['a body beyond the limit', JSON.stringify({ text: 'x'.repeat(64) }), json, 413, 'body-too-large'],
  ])('refuses %s', async (...[, body, headers, status, code]) => {
    const answer = await post('/v1/echo', body, headers);
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([status, code]);
  });

  test('refuses a stream that grows beyond the limit, and the client hears why', async () => {
    const pieces = (count: number) =>
      new ReadableStream({
        pull(controller) {
          count -= 1;
          if (count < 0) {
            controller.close();
          } else {
            controller.enqueue(new Uint8Array(100_000));
          }
        },
      });
    const send = (count: number) =>
      call('/v1/bytes', 'provider', {
        method: 'POST',
        body: pieces(count),
        headers: { 'content-type': 'text/csv' },
        duplex: 'half',
      });
    expect(await (await send(10)).json()).toEqual({ count: 1_000_000 });
    expect((await send(20)).status).toBe(413);
    expect((await send(10)).status).toBe(200);
  });

  test("takes no more of a body than the tenant's quota", async () => {
    const authorization = `Bearer ${await made.issue('other', 'provider')}`;
    const answer = await post('/v1/echo', '{"text":"hi"}', { ...json, authorization });
    expect(answer.status).toBe(413);
  });

  test.each([
    ['/v1/nothing', 'GET', 404, 'not-found'],
    ['/v1/things', 'GET', 404, 'not-found'],
    ['/v1/things/x', 'DELETE', 405, 'method-not-allowed'],
    ['/v1/%zz', 'GET', 400, 'invalid-request'],
  ])('knows what is not there: %s %s', async (...[path, method, status, code]) => {
    const answer = await call(path, 'operator', { method });
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([status, code]);
    expect(answer.headers.get('allow')).toBe(status === 405 ? 'GET' : null);
  });

  test.each([
    ['transient', 503, 'unavailable'],
    ['conflict', 409, 'conflict'],
    ['unexpected', 500, 'internal-error'],
  ])('says of a %s failure what the caller may know', async (how, status, code) => {
    const answer = await call(`/v1/failing/${how}`, 'operator');
    const text = await answer.text();
    expect([answer.status, (JSON.parse(text) as { code: string }).code]).toEqual([status, code]);
    expect(text).not.toContain('secret detail');
    expect(answer.headers.get('retry-after')).toBe(status === 503 ? '1' : null);
  });

  test('keeps a request id that is one, and makes one up for what is none', async () => {
    const id = async (given: string) =>
      (await call('/livez', 'operator', { headers: { 'x-request-id': given } })).headers.get('x-request-id');
    expect(await id('abc-123')).toBe('abc-123');
    expect(await id('a b')).toMatch(/^r\d+$/);
  });

  test('describes its routes as OpenAPI', async () => {
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as {
      openapi: string;
      paths: Record<string, Record<string, Record<string, unknown>>>;
    };
    expect(document.openapi).toBe('3.1.0');
    expect(await (await fetch(`${url}/v1/openapi.json`)).json()).toEqual(document);
    expect(document.paths['/v1/things/{id}']?.['get']?.['parameters']).toEqual([
      { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
      {
        name: 'limit',
        in: 'query',
        required: false,
        description: 'how many',
        schema: { type: 'integer', minimum: 1, maximum: 10, default: 5 },
      },
    ]);
    expect(document.paths['/v1/echo']?.['post']).toMatchObject({
      requestBody: { content: { 'application/json': { schema: { required: ['text'] } } } },
      responses: { 201: {}, default: {} },
    });
    expect(document.paths['/v1/bytes']?.['post']).toMatchObject({ requestBody: { content: { 'text/csv': {} } } });
    expect(document.paths['/livez']?.['get']?.['security']).toEqual([]);
    expect(document.paths['/metrics']).toBeDefined();
  });

  test('says whether it is ready', async () => {
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    made.state.notReady = 'draining';
    const answer = await fetch(`${url}/readyz`);
    expect([answer.status, await answer.json()]).toEqual([503, { status: 'failing', reason: 'draining' }]);
  });

  test('shows its metrics to operators', async () => {
    expect(await (await call('/metrics', 'operator')).text()).toBe('a_total 1\n');
    expect((await call('/metrics', 'customer')).status).toBe(403);
  });

  test('tells how many requests of a route are in work, also when the client goes away', async () => {
    const inFlight = (): number | undefined => made.gauges.get('http_requests_in_flight /v1/slow');
    const gone = new AbortController();
    const headers = { authorization: `Bearer ${made.keys.operator}` };
    const asked = [1, 2].map(() => fetch(`${url}/v1/slow`, { headers, signal: gone.signal }));
    await expect.poll(inFlight).toBe(2);
    gone.abort();
    await Promise.allSettled(asked);
    await expect.poll(inFlight).toBe(0);
    await call('/v1/slow', 'customer');
    await expect.poll(inFlight).toBe(0);
  });

  test('answers what is in work before it closes, and keeps no connection', async () => {
    const agent = new Agent({ keepAlive: true });
    const get = (path: string): Promise<{ status: number; connection: string | undefined }> =>
      new Promise((resolve, reject) => {
        httpRequest(url + path, { agent, headers: { authorization: `Bearer ${made.keys.operator}` } }, (answer) => {
          answer.resume().on('end', () => {
            resolve({ status: answer.statusCode ?? 0, connection: answer.headers.connection });
          });
        })
          .on('error', reject)
          .end();
      });
    expect(await get('/livez')).toEqual({ status: 200, connection: 'keep-alive' });
    const slow = get('/v1/slow');
    await new Promise((resolve) => setTimeout(resolve, 50));
    const closing = closeOnce(made.server);
    release.resolve(undefined);
    expect(await slow).toEqual({ status: 204, connection: 'close' });
    await closing;
    await expect(fetch(`${url}/livez`)).rejects.toThrow();
    agent.destroy();
  });
});

describe('a quota of requests', () => {
  test('is per tenant, says how long to wait, and fills again', async () => {
    const made = await makeServer(2);
    const url = await made.server.listen({ host: '127.0.0.1', port: 0 });
    const other = await made.issue('other', 'customer');
    const call = (key: string) => fetch(`${url}/v1/things/x`, { headers: { authorization: `Bearer ${key}` } });
    expect((await call(made.keys.customer)).status).toBe(200);
    expect((await call(made.keys.operator)).status).toBe(200);
    const refused = await call(made.keys.customer);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '30']);
    expect(await refused.json()).toMatchObject({ code: 'too-many-requests' });
    expect((await call(other)).status).toBe(200);
    made.clock.nowMs = 30_000;
    expect((await call(made.keys.customer)).status).toBe(200);
    await made.server.close();
  });
});

describe('listening', () => {
  test('on a taken port says so, and which flag changes it', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as { port: number };
    const { server } = await makeServer();
    const error = await server.listen({ host: '127.0.0.1', port }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ListenError);
    expect((error as Error).message).toBe(
      `127.0.0.1:${port} is taken by another program. Choose another port with --port.`,
    );
    await server.close();
    taken.close();
  });

  test('on a socket is for its user alone, goes over the file of a killed server, not over a living one', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'http-'));
    const socket = join(directory, 's');
    const [first, second] = [await makeServer(), await makeServer()];
    expect(await first.server.listen({ socket })).toBe(socket);
    expect((await stat(socket)).mode & 0o777).toBe(0o600);
    await expect(second.server.listen({ socket })).rejects.toThrow(ListenError);
    await first.server.close();
    await expect(second.server.listen({ socket: join(directory, 'x'.repeat(120)) })).rejects.toThrow('--data-dir');
    await second.server.close();

    const program = 'require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))';
    expect(spawnSync(process.execPath, ['-e', program, socket]).signal).toBe('SIGKILL');
    expect((await stat(socket)).isSocket()).toBe(true);
    const third = await makeServer();
    expect(await third.server.listen({ socket })).toBe(socket);
    await third.server.close();
    await rm(directory, { recursive: true });
  });
});
