import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { expect, test } from 'vitest';
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
