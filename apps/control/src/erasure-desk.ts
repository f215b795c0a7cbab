import { eraseEverywhere, knownErasures, type ErasablePlaces } from '@meterflow/service';
import type { ErasureDesk } from './ports.ts';

/** Erasures of a platform, one at a time. `newId` makes letters and digits. */
export function erasureDesk(
  places: () => ErasablePlaces | Promise<ErasablePlaces>,
  { nowMs, newId }: { readonly nowMs: () => number; readonly newId: () => string },
): ErasureDesk {
  let last: Promise<unknown> = Promise.resolve();
  return {
    erase: ({ tenant, series }) => {
      const done = last.then(async () => {
        // Once it is its turn: what is accepted while it waits goes too, rather than be deleted and not be covered.
        const request = { tenant, upToMs: nowMs(), id: newId(), ...(series === undefined ? {} : { series }) };
        return { ...request, ...(await eraseEverywhere(await places(), request)) };
      });
      last = done.catch(() => undefined);
      return done;
    },
    list: async (tenant) => knownErasures((await places()).registry, tenant),
  };
}
