import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

const localhost = '127.0.0.1';

/** Everything between clients and one server goes over it, byte by byte, so that it can be cut and mended. */
export class Wire {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #whole = true;

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#server = createServer((near) => {
      if (!this.#whole) {
        near.resetAndDestroy();
        return;
      }
      const far = connect(target.port, target.host);
      this.#joined(near, far);
      this.#joined(far, near);
    });
  }

  /** Between clients and a server, which are told its address in place of the server's. */
  static async to(target: { readonly host: string; readonly port: number }): Promise<Wire> {
    const wire = new Wire(target);
    wire.#server.listen(0, localhost);
    await once(wire.#server, 'listening');
    return wire;
  }

  get address(): string {
    return `${localhost}:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Drops every connection at once, with whatever is on its way, and takes no other. */
  cut(): void {
    this.#whole = false;
    this.#sockets.forEach((socket) => socket.resetAndDestroy());
  }

  mend(): void {
    this.#whole = true;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #joined(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.setNoDelay(true).pipe(to);
    from.on('error', () => undefined);
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
