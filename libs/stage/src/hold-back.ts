import type { Clock } from './clock.ts';
import type { Downstream } from './downstream.ts';
import type { StageLimits } from './limits.ts';
import type { Telemetry } from './telemetry.ts';

export interface HoldBackPorts {
  readonly downstream?: Downstream;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** How often it is asked while it holds back. */
const askAgainMs = 250;

/**
 * Waits while what comes after is behind, but never longer than `holdBackMsMax`: then a group goes on all the same. So
 * stages that follow each other in a circle, each behind, still come on, and a wrong answer slows down but stops nothing.
 */
export async function holdBack(
  stage: string,
  { downstream, clock, telemetry }: HoldBackPorts,
  { limits, signal }: { readonly limits: Pick<StageLimits, 'holdBackMsMax'>; readonly signal: AbortSignal },
): Promise<void> {
  const fromMs = clock.nowMs();
  const heldMs = (): number => clock.nowMs() - fromMs;
  while (
    downstream !== undefined &&
    !signal.aborted &&
    heldMs() < limits.holdBackMsMax &&
    (await downstream.isBehind())
  ) {
    await clock.sleep(Math.min(askAgainMs, limits.holdBackMsMax - heldMs()), signal);
  }
  if (heldMs() > 0) {
    telemetry.count('stage_held_back_ms_total', heldMs(), { stage });
  }
}
