import { lanes, topology } from '@meterflow/contracts';
import type { Platform } from '@meterflow/service';

/** Longer than the emulator takes to hand out what is there. */
const lookMs = 1_500;
const lookedAtMax = 100;

/**
 * How many messages each subscription hands out while no stage runs, in words; at most {@link lookedAtMax} of each are
 * looked at, and given back. What somebody has leased is not seen.
 */
export async function waitingMessages(platform: Pick<Platform, 'source'>): Promise<readonly string[]> {
  const subscriptions = topology(lanes).flatMap((topic) => topic.subscriptions);
  const counts = await Promise.all(subscriptions.map((name) => waitingOn(platform, name)));
  return subscriptions.flatMap((name, index) =>
    counts[index] === 0 ? [] : [`${counts[index]} messages wait on ${name}`],
  );
}

async function waitingOn(platform: Pick<Platform, 'source'>, subscription: string): Promise<number> {
  const source = platform.source(subscription);
  const stop = new AbortController();
  const request = { messagesMax: lookedAtMax, bytesMax: Number.MAX_SAFE_INTEGER, waitMs: lookMs, signal: stop.signal };
  const messages = await source.receive(request);
  // What a pull that is still out brings goes back as well.
  stop.abort();
  await source.nack(messages, 0);
  return messages.length;
}
