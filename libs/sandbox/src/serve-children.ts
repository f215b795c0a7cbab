import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { ChildHost } from './child-host.ts';
import { defaultEntry, engineArguments } from './child-program.ts';
import type { ChildSettings } from './child-settings.ts';
import { FrameAssembler } from './frame-assembler.ts';
import { word, type FrameReader } from './frame.ts';
import { frameBytesMax } from './limits.ts';
import { noticeFrame, readNotice, replyKind } from './reply.ts';
import { socketKind, usageEveryMs } from './socket-frames.ts';

export interface ServeChildrenOptions {
  /** The Unix socket; what an earlier server left there is taken away. */
  readonly path: string;
  /** Children at a time; one more connection is closed at once. */
  readonly childrenMax?: number;
  /** Told of children that ended, for the log. */
  readonly onEnd?: (message: string) => void;
}

export interface ChildrenServer {
  /** Ends all children; resolves when none is left. */
  close(): Promise<void>;
}

const childrenMaxDefault = 16;
/** Its owner and group: the containers of a pod that share the volume. */
const socketMode = 0o660;

/**
 * Runs sandbox children for whoever connects, one a connection: so they can live in a container of their own, without
 * token, secrets or network. Holds nothing itself, and looks at nothing that a child says but its length.
 */
export async function serveChildren(options: ServeChildrenOptions): Promise<ChildrenServer> {
  const { path, childrenMax = childrenMaxDefault } = options;
  const served = new Set<ServedChild>();
  const server = createServer((socket) => {
    if (served.size >= childrenMax) {
      socket.destroy();
      return;
    }
    const child = new ServedChild(socket, (message) => {
      served.delete(child);
      options.onEnd?.(message);
    });
    served.add(child);
  });
  rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  chmodSync(path, socketMode);
  return {
    async close() {
      server.close();
      await Promise.all([...served].map((child) => child.close()));
    },
  };
}

/** One connection and its child. */
class ServedChild {
  readonly #socket: Socket;
  readonly #ended: (message: string) => void;
  readonly #gone = Promise.withResolvers<undefined>();
  #host: ChildHost | undefined;
  #watch: NodeJS.Timeout | undefined;

  constructor(socket: Socket, ended: (message: string) => void) {
    this.#socket = socket;
    this.#ended = ended;
    const assembler = new FrameAssembler(frameBytesMax, (frame) => {
      this.#take(frame);
    });
    socket.on('data', (piece: Buffer) => {
      try {
        assembler.push(piece);
      } catch {
        socket.destroy();
      }
    });
    // Who has gone is told by the close that follows.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#host?.kill('closed');
      if (this.#host === undefined) {
        this.#finish('a connection closed before it asked for a child');
      }
    });
  }

  async close(): Promise<void> {
    this.#socket.destroy();
    await this.#gone.promise;
  }

  #take(frame: FrameReader): void {
    if (frame.header[word.kind] !== socketKind.start) {
      this.#host?.send(Buffer.from(frame.bytes));
    } else if (this.#host === undefined) {
      this.#start(JSON.parse(readNotice(frame)) as ChildSettings);
    }
  }

  #start(settings: ChildSettings): void {
    const entry = defaultEntry();
    const socket = this.#socket;
    const tell = (kind: number, told: object): void => {
      if (!socket.destroyed) {
        socket.write(noticeFrame(kind, 0, JSON.stringify(told)));
      }
    };
    const host = new ChildHost(
      { entry, nodeArguments: engineArguments(entry), settings },
      {
        ready: () => {
          tell(socketKind.isolation, host.isolation() ?? {});
          socket.write(noticeFrame(replyKind.ready, 0));
        },
        reply: (frame) => {
          socket.write(frame.bytes);
        },
        end: (end) => {
          tell(socketKind.ended, end);
          socket.end();
          this.#finish(`a sandbox child ended: ${end.reason ?? end.signal ?? `exit ${end.exitCode ?? 'unknown'}`}`);
        },
      },
    );
    this.#host = host;
    let last = '';
    this.#watch = setInterval(() => {
      const usage = host.usage();
      const text = JSON.stringify(usage);
      if (usage !== undefined && text !== last) {
        last = text;
        tell(socketKind.usage, usage);
      }
    }, usageEveryMs);
  }

  #finish(message: string): void {
    clearInterval(this.#watch);
    this.#gone.resolve(undefined);
    this.#ended(message);
  }
}
