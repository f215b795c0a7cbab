import { basename } from 'node:path';
import { mergeOpenApi } from '@meterflow/http/client';
import {
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import { askService } from './ask-service.ts';

/** Which service's socket answers a request: the first route whose method and path prefix fit. */
export interface GatewayRoute {
  readonly prefix: string;
  readonly methods?: readonly string[];
  readonly socket: string;
}

export interface GatewayOptions {
  readonly routes: readonly GatewayRoute[];
  /** Why the server as a whole is not alive: which of its services is stuck or down. */
  readonly notLive: () => string | undefined;
  /** Sockets of the services behind it: ready when all of them are. The API is that of the first and the others. */
  readonly services: readonly string[];
  readonly connectionsMax?: number;
}

/** Connections at once; one more is closed at once. Far above what the services behind take in work at once. */
const connectionsMaxDefault = 1_000;

/**
 * The one address of an embedded server: passes each request on to the service that answers it, as an ingress does on
 * Kubernetes. Streams both ways; knows nothing of credentials. Health and the API's document are those of all services.
 */
export function createGateway(options: GatewayOptions): Server {
  const { routes, notLive, services, connectionsMax = connectionsMaxDefault } = options;
  const server = createServer((incoming, outgoing) => {
    const path = incoming.url ?? '/';
    switch (path) {
      case '/livez':
        tellHealth(outgoing, notLive());
        return;
      case '/readyz':
        void notReady(services).then((reason) => {
          tellHealth(outgoing, reason);
        });
        return;
      case '/openapi.json':
      case '/v1/openapi.json':
        void tellApi(outgoing, services);
        return;
    }
    const route = routes.find(
      ({ prefix, methods }) =>
        path.startsWith(prefix) && (methods === undefined || methods.includes(incoming.method ?? '')),
    );
    if (route === undefined) {
      refuse(outgoing, 404, 'not-found');
      return;
    }
    pass(incoming, outgoing, route.socket);
  });
  // Uploads may take long; what they may hold is bounded by the service behind.
  server.requestTimeout = 0;
  server.maxConnections = connectionsMax;
  return server;
}

async function notReady(services: readonly string[]): Promise<string | undefined> {
  const answers = await Promise.all(services.map((socket) => askService(socket, '/readyz')));
  const missing = answers.findIndex((answer) => answer?.status !== 200);
  if (missing === -1) {
    return undefined;
  }
  const name = basename(services[missing] ?? '').split('.')[0] ?? '';
  return answers[missing] === undefined ? `${name} does not answer` : `${name} is not ready`;
}

/** One document for all that the address answers. */
async function tellApi(outgoing: ServerResponse, services: readonly string[]): Promise<void> {
  const answers = await Promise.all(services.map((socket) => askService(socket, '/openapi.json')));
  const [first, ...others] = answers.flatMap((answer) =>
    answer?.status === 200 ? [JSON.parse(answer.text) as object] : [],
  );
  if (first === undefined || others.length + 1 < services.length) {
    refuse(outgoing, 503, 'service-restarting');
    return;
  }
  outgoing.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
  outgoing.end(JSON.stringify(mergeOpenApi(first, others)));
}

function tellHealth(outgoing: ServerResponse, reason: string | undefined): void {
  outgoing.writeHead(reason === undefined ? 200 : 503, { 'content-type': 'application/json' });
  outgoing.end(JSON.stringify(reason === undefined ? { status: 'ok' } : { status: 'failing', reason }));
}

/** What belongs to one connection, and not to the request or answer that comes over it. */
const hopHeaders: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
]);

function withoutHop(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopHeaders.has(name)));
}

function pass(incoming: IncomingMessage, outgoing: ServerResponse, socketPath: string): void {
  const { method, url, headers } = incoming;
  const inner = request({ socketPath, method, path: url, headers: withoutHop(headers) }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, withoutHop(answer.headers));
    answer.pipe(outgoing, { end: false });
    answer.on('end', () => {
      endWhenTaken(outgoing);
    });
    answer.on('error', () => outgoing.destroy());
  });
  inner.on('error', () => {
    if (outgoing.headersSent) {
      outgoing.destroy();
    } else {
      refuse(outgoing, 503, 'service-restarting');
    }
  });
  outgoing.on('close', () => inner.destroy());
  incoming.pipe(inner);
}

/** How long a body that the service did not want is still taken. */
const unwantedBodyMsMax = 5_000;

/**
 * Ends an answer that may have come before the end of the body: closing while the client still writes would often cost
 * it the answer that says why.
 */
function endWhenTaken(outgoing: ServerResponse): void {
  const incoming = outgoing.req;
  const end = (): void => {
    clearTimeout(latest);
    outgoing.end();
  };
  const latest = setTimeout(end, unwantedBodyMsMax);
  outgoing.once('close', () => {
    clearTimeout(latest);
  });
  if (incoming.complete) {
    end();
  } else {
    incoming.once('end', end).unpipe().resume();
  }
}

function refuse(outgoing: ServerResponse, status: number, code: string): void {
  const titles: Record<string, string> = {
    'not-found': 'No such route. See /openapi.json.',
    'service-restarting': 'The service behind this route is starting. Try again in a second.',
  };
  outgoing.writeHead(status, {
    'content-type': 'application/problem+json',
    ...(status === 503 ? { 'retry-after': '1' } : {}),
  });
  outgoing.write(JSON.stringify({ type: 'about:blank', status, code, title: titles[code] }));
  endWhenTaken(outgoing);
}
