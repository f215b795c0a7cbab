import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { localhost } from './running-part.ts';

/** Below the ports that systems give to outgoing connections, so that none of those takes it meanwhile. */
const portMin = 20_000;
const portMax = 32_000;

/** A port that nobody listens on now. Someone may take it before it is used: whoever starts a server tries again. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(portMin, portMax);
    const probe = createServer().listen(port, localhost);
    try {
      await once(probe, 'listening');
      return port;
    } catch {
      continue;
    } finally {
      probe.close();
    }
  }
}
