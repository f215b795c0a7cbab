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
      const id = newId();
      const request = { tenant, upToMs: nowMs(), id, ...(series === undefined ? {} : { series }) };
      const done = last.then(async () => ({ ...request, ...(await eraseEverywhere(await places(), request)) }));
      last = done.catch(() => undefined);
      return done;
    },
    list: async (tenant) => knownErasures((await places()).registry, tenant),
  };
}
