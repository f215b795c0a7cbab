import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { ChildProgram } from './child-program.ts';
import { childEnvironment, confinedNode, isolationOf, type Isolation } from './confinement.ts';
import { FrameAssembler } from './frame-assembler.ts';
import { word } from './frame.ts';
import { processUsage, type ProcessUsage } from './process-usage.ts';
import { replyKind } from './reply.ts';
import type { ChildEvents, KillReason, SandboxChild } from './sandbox-child.ts';

const stderrCharsMax = 2_000;

/** A child process of this one. */
export class ChildHost implements SandboxChild {
  readonly pid: number | undefined;
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #gone = Promise.withResolvers<undefined>();
  #reason: KillReason | undefined;

  constructor(program: ChildProgram, events: ChildEvents) {
    const settings = JSON.stringify(program.settings);
    const [command, ...words] = confinedNode([...program.nodeArguments, program.entry, settings]);
    // No descriptors but three, and no folder of ours.
    this.#process = spawn(command, words, { cwd: '/', env: childEnvironment, stdio: ['pipe', 'pipe', 'pipe'] });
    this.pid = this.#process.pid;
    this.#listen(program.settings.frameBytesMax, events);
  }

  send(frame: Buffer, written: () => void = () => undefined): void {
    this.#process.stdin.write(frame, written);
  }

  kill(reason: KillReason): void {
    this.#reason ??= reason;
    this.#process.kill('SIGKILL');
  }

  async gone(): Promise<void> {
    await this.#gone.promise;
  }

  usage(): ProcessUsage | undefined {
    return this.pid === undefined ? undefined : processUsage(this.pid);
  }

  isolation(): Isolation | undefined {
    return this.pid === undefined ? undefined : isolationOf(this.pid);
  }

  #listen(frameBytesMax: number, events: ChildEvents): void {
    const child = this.#process;
    let stderr = '';
    let ended = false;
    const assembler = new FrameAssembler(frameBytesMax, (frame) => {
      if (frame.header[word.kind] === replyKind.ready) {
        events.ready();
      } else {
        events.reply(frame);
      }
    });
    const end = (exitCode: number | null, signal: NodeJS.Signals | null): void => {
      if (!ended) {
        ended = true;
        this.#gone.resolve(undefined);
        events.end({ reason: this.#reason, exitCode, signal, stderr });
      }
    };
    child.stdout.on('data', (piece: Buffer) => {
      try {
        assembler.push(piece);
      } catch {
        this.kill('broken');
      }
    });
    child.stderr.on('data', (piece: Buffer) => {
      stderr = (stderr + piece.toString('utf8')).slice(-stderrCharsMax);
    });
    // Writing to a child that has just died is no news: its end is.
    child.stdin.on('error', () => undefined);
    child.on('error', (error) => {
      stderr += error.message;
      end(null, null);
    });
    child.on('close', end);
  }
}
