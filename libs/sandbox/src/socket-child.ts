import { connect, type Socket } from 'node:net';
import type { ChildSettings } from './child-settings.ts';
import type { Isolation } from './confinement.ts';
import { FrameAssembler } from './frame-assembler.ts';
import { word, type FrameReader } from './frame.ts';
import type { ProcessUsage } from './process-usage.ts';
import { noticeFrame, readNotice, replyKind } from './reply.ts';
import type { ChildEnd, ChildEvents, KillReason, SandboxChild } from './sandbox-child.ts';
import { socketKind } from './socket-frames.ts';

/**
 * A child behind a Unix socket, in another container: each connection is one child, started by the server there, and
 * ended by it when the connection closes. A server that is not there is a child that does not start.
 */
export class SocketChild implements SandboxChild {
  readonly pid = undefined;
  readonly #socket: Socket;
  readonly #gone = Promise.withResolvers<undefined>();
  #reason: KillReason | undefined;
  #told: Partial<ChildEnd> = {};
  #usage: ProcessUsage | undefined;
  #isolation: Isolation | undefined;

  constructor(path: string, settings: ChildSettings, events: ChildEvents) {
    this.#socket = connect(path);
    this.#socket.write(noticeFrame(socketKind.start, 0, JSON.stringify(settings)));
    const assembler = new FrameAssembler(settings.frameBytesMax, (frame) => {
      this.#take(frame, events);
    });
    this.#socket.on('data', (piece: Buffer) => {
      try {
        assembler.push(piece);
      } catch {
        this.kill('broken');
      }
    });
    this.#socket.on('error', (error) => {
      this.#told = { stderr: error.message, ...this.#told };
    });
    this.#socket.on('end', () => this.#socket.destroy());
    this.#socket.on('close', () => {
      this.#gone.resolve(undefined);
      events.end({
        exitCode: null,
        signal: null,
        stderr: '',
        ...this.#told,
        reason: this.#reason ?? this.#told.reason,
      });
    });
  }

  send(frame: Buffer, written: () => void = () => undefined): void {
    this.#socket.write(frame, written);
  }

  kill(reason: KillReason): void {
    this.#reason ??= reason;
    this.#socket.destroy();
  }

  async gone(): Promise<void> {
    await this.#gone.promise;
  }

  usage(): ProcessUsage | undefined {
    return this.#usage;
  }

  isolation(): Isolation | undefined {
    return this.#isolation;
  }

  #take(frame: FrameReader, events: ChildEvents): void {
    switch (frame.header[word.kind] as number) {
      case replyKind.ready:
        events.ready();
        return;
      case socketKind.usage:
        this.#usage = JSON.parse(readNotice(frame)) as ProcessUsage;
        return;
      case socketKind.isolation:
        this.#isolation = JSON.parse(readNotice(frame)) as Isolation;
        return;
      case socketKind.ended:
        this.#told = JSON.parse(readNotice(frame)) as ChildEnd;
        return;
      default:
        events.reply(frame);
    }
  }
}
