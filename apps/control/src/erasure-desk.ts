import { eraseEverywhere, type EmbeddedPlatform } from '@meterflow/embedded';
import type { RegistryEntry } from '@meterflow/registry';
import { z } from 'zod';
import type { ErasureDesk, Tombstone } from './ports.ts';

const value = z.object({
  tenant: z.string(),
  meter: z.string().optional(),
  channel: z.string().optional(),
  upToMs: z.number(),
});
const listedMax = 10_000;

/** Erasures of the embedded platform, one at a time. `newId` makes letters and digits. */
export function erasureDesk(
  platform: EmbeddedPlatform,
  { nowMs, newId }: { readonly nowMs: () => number; readonly newId: () => string },
): ErasureDesk {
  let last: Promise<unknown> = Promise.resolve();
  return {
    erase: ({ tenant, series }) => {
      const id = newId();
      const request = { tenant, upToMs: nowMs(), id, ...(series === undefined ? {} : { series }) };
      const done = last.then(async () => ({ ...request, ...(await eraseEverywhere(platform, request)) }));
      last = done.catch(() => undefined);
      return done;
    },
    list: async (tenant) =>
      (await platform.registry.list('erasure', { prefix: `${tenant}/`, limit: listedMax })).map(tombstoneOf),
  };
}

function tombstoneOf(entry: RegistryEntry<unknown>): Tombstone {
  const { tenant, meter, channel, upToMs } = value.parse(entry.value);
  const id = entry.name.slice(entry.name.indexOf('-') + 1);
  const series = meter === undefined ? {} : { series: { meter, ...(channel === undefined ? {} : { channel }) } };
  return { id, tenant, upToMs, ...series };
}
