import { Problem } from '@meterflow/http';
import type { KnownBy } from '@meterflow/idempotent-writes';
import { utcText } from '@meterflow/readings';
import type { ControlPorts } from '../ports.ts';

const activationsPerPage = 100;

/**
 * What was known of a tenant at an instant: what had been accepted, under the activations that there were. Throws Problem
 * `invalid-request` for an instant that has not come.
 */
export async function knownBy(
  { activations, nowMs }: Pick<ControlPorts, 'activations' | 'nowMs'>,
  tenant: string,
  instantMs: number,
): Promise<KnownBy> {
  if (instantMs > nowMs()) {
    const detail = `what will be known at ${utcText(instantMs)} nobody knows: give \`asOf\` an instant that has passed`;
    throw new Problem('invalid-request', detail);
  }
  let before: number | undefined;
  for (;;) {
    const page = await activations.list(tenant, {
      limit: activationsPerPage,
      ...(before === undefined ? {} : { before }),
    });
    const standing = page.find(({ createdAtMs }) => createdAtMs <= instantMs);
    before = page.at(-1)?.number;
    if (standing !== undefined || page.length < activationsPerPage) {
      return { instantMs, activationMax: standing?.number ?? 0 };
    }
  }
}
