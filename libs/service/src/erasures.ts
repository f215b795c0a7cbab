import type { Registry } from '@meterflow/registry';
import { z } from 'zod';
import { eraseEverywhere, type ErasablePlaces, type ErasureRequest } from './erase-everywhere.ts';

const value = z.object({
  tenant: z.string(),
  meter: z.string().optional(),
  channel: z.string().optional(),
  upToMs: z.number(),
  ticket: z.number().optional(),
});
const pageMax = 1_000;

/** Every erasure that the registry knows, by tenant and instant; of one tenant where that is given. */
export async function knownErasures(registry: Registry, tenant?: string): Promise<readonly ErasureRequest[]> {
  const prefix = tenant === undefined ? '' : `${tenant}/`;
  const requests: ErasureRequest[] = [];
  for (let after: string | undefined; ;) {
    const page = await registry.list('erasure', { prefix, limit: pageMax, ...(after === undefined ? {} : { after }) });
    requests.push(...page.map((entry) => requestOf(entry.name, entry.value)));
    after = page.at(-1)?.name;
    if (page.length < pageMax) {
      return requests;
    }
  }
}

/** After a restore, before anyone reads: erases all that was ever erased once more. Resolves to how many those were. */
export async function eraseAgain(places: ErasablePlaces, later: readonly ErasureRequest[] = []): Promise<number> {
  const known = await knownErasures(places.registry);
  const requests = new Map([...known, ...later].map((each) => [`${each.tenant}/${each.upToMs}-${each.id}`, each]));
  for (const request of requests.values()) {
    await eraseEverywhere(places, request);
  }
  return requests.size;
}

function requestOf(name: string, stored: unknown): ErasureRequest {
  const { tenant, meter, channel, upToMs, ticket } = value.parse(stored);
  const id = name.slice(name.lastIndexOf('-') + 1);
  const series = meter === undefined ? {} : { series: { meter, ...(channel === undefined ? {} : { channel }) } };
  return { tenant, upToMs, id, ...series, ...(ticket === undefined ? {} : { ticket }) };
}
