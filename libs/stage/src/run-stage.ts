import type { Clock } from './clock.ts';
import { GroupRunner } from './group-runner.ts';
import { GroupSlots } from './group-slots.ts';
import { holdBack } from './hold-back.ts';
import { KeysInWork } from './keys-in-work.ts';
import type { StageLimits } from './limits.ts';
import type { LeasedMessage } from './message.ts';
import { Pause } from './pause.ts';
import type { Source } from './source.ts';
import type { StagePorts } from './stage-ports.ts';
import { StageProgress } from './stage-progress.ts';
import type { Stage } from './stage.ts';
import { UnexpectedFailures } from './unexpected-failures.ts';

export interface StageOptions {
  readonly limits: StageLimits;
  /** Names this run of this process: the owner of its leases. */
  readonly owner: string;
  /** Aborts to begin the drain. */
  readonly signal: AbortSignal;
  /** Told of each group and each settled message; `/livez` is read from it. */
  readonly progress?: StageProgress;
}

/**
 * Runs a stage until the signal aborts, then drains: receives no more, gives back what has not started, finishes and
 * settles what has. Rejects with a FatalError when this process can't go on, and nothing goes on
 * behind it; everything unsettled then comes again.
 *
 * receive ─▶ gather a group ─▶ GroupRunner (the delivery contract) ─▶ settled
 */
export async function runStage<Input, Reads, Write>(
  stage: Stage<Input, Reads, Write>,
  ports: StagePorts<Write>,
  options: StageOptions,
): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const progress = options.progress ?? new StageProgress();
  const pause = new Pause(ports.clock);
  const slots = new GroupSlots(options.limits);
  const shared = { pause, slots, inWork: new KeysInWork(), unexpected: new UnexpectedFailures(options.limits) };
  const groups = new Set<Promise<void>>();
  // A function, since it changes while we wait: what the loop's condition saw says nothing later.
  const aborted = (): boolean => signal.aborted;
  let fatal: Error | undefined;
  const fail = (error: unknown): void => {
    fatal ??= error as Error;
    stop.abort();
  };

  while (!aborted()) {
    await pause.over(signal);
    await holdBack(stage.name, ports, { limits: options.limits, signal });
    const gathered = gather(ports.source, options.limits, { clock: ports.clock, signal, pause, progress });
    const messages = await gathered.catch((error: unknown): LeasedMessage[] => {
      fail(error);
      return [];
    });
    if (aborted()) {
      await giveBack(ports.source, messages);
      break;
    }
    if (messages.length === 0) {
      continue;
    }
    const groupProgress = progress.begin(messages.length, ports.clock.nowMs());
    const groupOptions = { ...options, signal, progress: groupProgress, ...shared };
    const runner = new GroupRunner({ stage, messages }, ports, groupOptions);
    const group = slots
      .during(() => runner.run())
      .catch(fail)
      .finally(() => {
        progress.end(groupProgress);
        groups.delete(group);
      });
    groups.add(group);
    await slots.free();
  }
  await Promise.all(groups);
  if (fatal !== undefined) {
    throw fatal;
  }
}

/** How long one call waits for the first message: bounds how late a drain is noticed by a source that can't be woken. */
const receiveWaitMs = 1_000;

interface GatherContext {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly pause: Pause;
  readonly progress: StageProgress;
}

/**
 * Takes what is there; a group that is not full waits `coalesceMs` for more, and no longer than `restMs` for the next. [] when
 * the bus is down or has nothing.
 */
async function gather(source: Source, limits: StageLimits, context: GatherContext): Promise<LeasedMessage[]> {
  const { clock, signal, pause, progress } = context;
  const { restMs = limits.coalesceMs } = limits;
  const messages: LeasedMessage[] = [];
  let bytesLeft = limits.groupBytesMax;
  let deadlineMs = Number.POSITIVE_INFINITY;
  let received: readonly LeasedMessage[] = [];
  try {
    do {
      received = await source.receive({
        messagesMax: limits.groupMessagesMax - messages.length,
        bytesMax: bytesLeft,
        waitMs: messages.length === 0 ? receiveWaitMs : Math.max(0, Math.min(restMs, deadlineMs - clock.nowMs())),
        signal,
      });
      messages.push(...received);
      bytesLeft -= received.reduce((sum, message) => sum + message.payload.length, 0);
      deadlineMs = Math.min(deadlineMs, clock.nowMs() + limits.coalesceMs);
    } while (
      received.length > 0 &&
      messages.length < limits.groupMessagesMax &&
      bytesLeft > 0 &&
      clock.nowMs() < deadlineMs &&
      !signal.aborted
    );
    if (messages.length === 0) {
      progress.foundNothing(clock.nowMs());
    }
  } catch (error) {
    progress.unknown();
    pause.begin(error as Error, limits);
  }
  return messages;
}

async function giveBack(source: Source, messages: readonly LeasedMessage[]): Promise<void> {
  if (messages.length > 0) {
    // When this fails the leases run out, and the messages come again all the same.
    await source.nack(messages, 0).catch(() => undefined);
  }
}
