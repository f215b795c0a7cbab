import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves with what `look` finds, once it finds something; rejects saying `what` never came. */
export async function until<Found>(
  what: string,
  look: () => Promise<Found | undefined> | Found | undefined,
  { withinMs = 120_000, everyMs = 50 }: { readonly withinMs?: number; readonly everyMs?: number } = {},
): Promise<Found> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) {
      return found;
    }
    if (performance.now() > endMs) {
      throw new Error(`waited ${withinMs} ms in vain: ${what}`);
    }
    await sleep(everyMs);
  }
}
