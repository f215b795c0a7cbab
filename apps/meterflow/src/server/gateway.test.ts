import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request, type IncomingMessage, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createGateway } from './gateway.ts';

test('a gateway takes no more connections than it may, and again when one has ended', async () => {
  const gateway = createGateway({ routes: [], services: [], notLive: () => undefined, connectionsMax: 1 });
  gateway.listen(0, '127.0.0.1');
  await once(gateway, 'listening');
  const { port } = gateway.address() as AddressInfo;
  const answered = async (socket: Socket): Promise<string> => {
    socket.on('error', () => undefined);
    socket.write('GET /livez HTTP/1.1\r\nHost: here\r\n\r\n');
    return Promise.race([
      once(socket, 'data').then(([bytes]) => String(bytes).slice(0, 15)),
      once(socket, 'close').then(() => 'closed'),
    ]);
  };
  try {
    const first = connect(port, '127.0.0.1');
    expect(await answered(first)).toBe('HTTP/1.1 200 OK');
    expect(await answered(connect(port, '127.0.0.1'))).toBe('closed');
    first.end();
    await once(first, 'close');
    const next = connect(port, '127.0.0.1');
    expect(await answered(next)).toBe('HTTP/1.1 200 OK');
    next.destroy();
  } finally {
    gateway.closeAllConnections();
    gateway.close();
  }
});

describe('a body that nobody wants', () => {
  const bodyBytes = 20_000_000;

  /** Sends a large body on a connection of its own, to be closed after the answer, through a gateway to this service. */
  async function answerOf(service: RequestListener | undefined): Promise<{ status: number | undefined; body: string }> {
    const folder = mkdtempSync(join(tmpdir(), 'gateway-'));
    const socket = join(folder, 's.sock');
    const behind = service === undefined ? undefined : createServer(service).listen(socket);
    const gateway = createGateway({ routes: [{ prefix: '/', socket }], services: [], notLive: () => undefined });
    gateway.listen(0, '127.0.0.1');
    try {
      await once(gateway, 'listening');
      const { port } = gateway.address() as AddressInfo;
      const outgoing = request({ port, method: 'POST', path: '/v1/x', agent: false, headers: { connection: 'close' } });
      outgoing.end(Buffer.alloc(bodyBytes));
      const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
      return { status: answer.statusCode, body: await text(answer) };
    } finally {
      gateway.closeAllConnections();
      gateway.close();
      behind?.closeAllConnections();
      behind?.close();
      rmSync(folder, { recursive: true });
    }
  }

  test('costs no client the answer that says why', async () => {
    let connection: string | undefined;
    const answer = await answerOf((incoming, outgoing) => {
      connection = incoming.headers.connection;
      outgoing.writeHead(413).end('too large');
      incoming.resume();
    });
    expect(answer).toEqual({ status: 413, body: 'too large' });
    // The client's wish is about its own connection.
    expect(connection).toBe('keep-alive');
  });

  test('nor where the service behind is not there', async () => {
    const { status, body } = await answerOf(undefined);
    expect(status).toBe(503);
    expect(JSON.parse(body)).toMatchObject({ code: 'service-restarting' });
  });
});
