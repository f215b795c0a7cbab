import type { Receipt } from '@meterflow/receipts';
import type { ControlPorts } from './ports.ts';

const lookEveryMs = 50;
const lookEveryMsMax = 500;
/** Where looking is dear, as on a ledger that is added up each time, it is done the less often. */
const lookingShareMax = 1 / 10;

export interface ReceiptRequest {
  readonly tenant: string;
  readonly sourceId: string;
  readonly waitMs: number;
  /** Ends the waiting early. */
  readonly signal: AbortSignal;
}

/** The receipt once its source is complete, or as it is when the time is over. Undefined where there is no such source. */
export async function waitForReceipt(
  { sources, nowMs, sleep }: Pick<ControlPorts, 'sources' | 'nowMs' | 'sleep'>,
  { tenant, sourceId, waitMs, signal }: ReceiptRequest,
): Promise<Receipt | undefined> {
  const endMs = nowMs() + waitMs;
  for (let pauseMs = lookEveryMs; ; pauseMs = Math.min(pauseMs * 1.5, lookEveryMsMax)) {
    const lookedAtMs = nowMs();
    const receipt = await sources.receipt(tenant, sourceId);
    const tookMs = nowMs() - lookedAtMs;
    const leftMs = endMs - nowMs();
    if (receipt === undefined || receipt.state === 'complete' || leftMs <= 0 || signal.aborted) {
      return receipt;
    }
    await sleep(Math.min(Math.max(pauseMs, tookMs / lookingShareMax), leftMs), signal);
  }
}
