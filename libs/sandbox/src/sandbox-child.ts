import type { Isolation } from './confinement.ts';
import type { FrameReader } from './frame.ts';
import type { ProcessUsage } from './process-usage.ts';

/** Why we ended a child: known for what the watchdog and the host itself did. */
export type KillReason = 'timed-out' | 'out-of-memory' | 'broken' | 'closed';

export interface ChildEnd {
  readonly reason: KillReason | undefined;
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what it wrote to its standard error. */
  readonly stderr: string;
}

export interface ChildEvents {
  ready(): void;
  reply(frame: FrameReader): void;
  /** Once, when the process is gone, or can't be reached any more. */
  end(end: ChildEnd): void;
}

/** One child process, wherever it runs: frames to it, frames from it by {@link ChildEvents}, and its end. */
export interface SandboxChild {
  /** Undefined where it is no process of this machine's view. */
  readonly pid: number | undefined;
  /** Its memory is the child's until `written` is called. */
  send(frame: Buffer, written?: () => void): void;
  /** Ends it at once. The first reason counts. */
  kill(reason: KillReason): void;
  /** Resolves when it is gone; it must be killed for that. */
  gone(): Promise<void>;
  /** What it used so far; undefined where nobody says. */
  usage(): ProcessUsage | undefined;
  /** What the kernel keeps from it; undefined where nobody says. */
  isolation(): Isolation | undefined;
}
