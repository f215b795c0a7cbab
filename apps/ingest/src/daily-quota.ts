import { Problem } from '@meterflow/http';
import type { Sources } from '@meterflow/receipts';
import type { Quotas } from '@meterflow/registry';

const dayMs = 86_400_000;

/**
 * Throws Problem `quota-exceeded` once a tenant's readings of this UTC day are used up. Counted where sources are closed,
 * in the same transaction, so that restarts and further processes change nothing. A source that is begun is taken whole:
 * what is in work may pass the quota by its own size.
 */
export async function checkDailyQuota(
  { tenant, readingsPerDay }: { readonly tenant: string } & Pick<Quotas, 'readingsPerDay'>,
  { sources, nowMs }: { readonly sources: Pick<Sources, 'acceptedOn'>; readonly nowMs: () => number },
): Promise<void> {
  const atMs = nowMs();
  const accepted = await sources.acceptedOn(tenant, atMs);
  if (accepted >= readingsPerDay) {
    const detail = `the tenant may bring ${readingsPerDay} readings a day (UTC), and ${accepted} were accepted today`;
    throw new Problem('quota-exceeded', detail, { retryAfterSeconds: (dayMs - (atMs % dayMs)) / 1_000 });
  }
}
