import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

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
}

/**
 * The one address of an embedded server: passes each request on to the service that answers it, as an ingress does on
 * Kubernetes. Streams both ways; knows nothing of credentials. Liveness is its own answer: that of all services.
 */
export function createGateway({ routes, notLive }: GatewayOptions): Server {
  const server = createServer((incoming, outgoing) => {
    const path = incoming.url ?? '/';
    if (path === '/livez') {
      tellLiveness(outgoing, notLive());
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
  return server;
}

function tellLiveness(outgoing: ServerResponse, reason: string | undefined): void {
  outgoing.writeHead(reason === undefined ? 200 : 503, { 'content-type': 'application/json' });
  outgoing.end(JSON.stringify(reason === undefined ? { status: 'ok' } : { status: 'failing', reason }));
}

function pass(incoming: IncomingMessage, outgoing: ServerResponse, socketPath: string): void {
  const { method, url, headers } = incoming;
  const inner = request({ socketPath, method, path: url, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
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

function refuse(outgoing: ServerResponse, status: number, code: string): void {
  const titles: Record<string, string> = {
    'not-found': 'No such route. See /openapi.json.',
    'service-restarting': 'The service behind this route is starting. Try again in a second.',
  };
  outgoing.writeHead(status, {
    'content-type': 'application/problem+json',
    ...(status === 503 ? { 'retry-after': '1' } : {}),
  });
  outgoing.end(JSON.stringify({ type: 'about:blank', status, code, title: titles[code] }));
}
