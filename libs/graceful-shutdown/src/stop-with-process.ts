import type { Ending, Lifecycle, LifecycleLog, Timers } from './lifecycle.ts';

export type ProcessSignal = 'SIGTERM' | 'SIGINT';

/** The process, as far as its end is concerned. */
export interface ProcessPort {
  /** True while a parent holds the other end of an IPC channel. */
  readonly hasParent: boolean;
  /** Calls back for each such signal, and no longer after the returned function was called. */
  onSignal(signal: ProcessSignal, call: () => void): () => void;
  /** Calls back when the parent is gone. */
  onParentGone(call: () => void): () => void;
  /** Ends the process at once. */
  exit(code: number): void;
}

export interface StopOptions {
  readonly process: ProcessPort;
  readonly timers: Timers;
  readonly log: LifecycleLog;
  /** Within the platform's own grace period, with a margin. */
  readonly drainMs: number;
  /** Nobody waits for a child whose parent is gone, and the next server wants its files. */
  readonly orphanDrainMs?: number;
}

export const orphanDrainMsDefault = 2_000;
/** A terminal, npm and a parent may each pass on one and the same Ctrl-C: what comes within this time is that one. */
export const signalEchoMs = 100;

/** What the process exits with. A second signal exits with 128 + the signal's number, as shells have it. */
export const exitCodes: Readonly<Record<Ending, number>> = { stopped: 0, failed: 1, 'deadline-passed': 124 };
const signalNumbers: Readonly<Record<ProcessSignal, number>> = { SIGINT: 2, SIGTERM: 15 };

/**
 * Ties a lifecycle to its process: SIGTERM and SIGINT begin the drain, a second signal exits at once, the parent's
 * death begins a short drain, and the end of the lifecycle is the end of the process. Returns what unties them.
 *
 * A process with a parent leaves SIGINT to it: the terminal sends Ctrl-C to all of them, and the parent decides.
 */
export function stopWithProcess(lifecycle: Lifecycle, options: StopOptions): () => void {
  const { process, timers, log } = options;
  let firstSignalAtMs: number | undefined;

  const onSignal = (signal: ProcessSignal): void => {
    const nowMs = timers.nowMs();
    if (signal === 'SIGINT' && process.hasParent) {
      return;
    }
    if (firstSignalAtMs === undefined) {
      firstSignalAtMs = nowMs;
      void lifecycle.drain({ deadlineMs: options.drainMs, reason: signal });
    } else if (nowMs - firstSignalAtMs > signalEchoMs) {
      log.error('a second signal: exiting at once; what was not settled comes again', { signal });
      process.exit(128 + signalNumbers[signal]);
    }
  };

  const untie = [
    process.onSignal('SIGTERM', () => {
      onSignal('SIGTERM');
    }),
    process.onSignal('SIGINT', () => {
      onSignal('SIGINT');
    }),
    process.onParentGone(() => {
      void lifecycle.drain({ deadlineMs: options.orphanDrainMs ?? orphanDrainMsDefault, reason: 'the parent is gone' });
    }),
  ];
  void lifecycle.ended.then((ending) => {
    process.exit(exitCodes[ending]);
  });
  return () => {
    untie.forEach((end) => {
      end();
    });
  };
}
