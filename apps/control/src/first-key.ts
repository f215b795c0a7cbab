import { existsSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Keys, Tenants } from '@meterflow/registry';

export const firstTenant = 'default';

/**
 * A new data directory gets a tenant and an operator's key for it, in a file that only its owner can read, so that the
 * API can be tried at once. A file that is there is left alone, also when its key was revoked.
 */
export async function ensureFirstKey(
  file: string,
  { tenants, keys }: { readonly tenants: Tenants; readonly keys: Keys },
): Promise<void> {
  if (existsSync(file)) {
    return;
  }
  await tenants.ensure(firstTenant);
  const { text } = await keys.create({ tenant: firstTenant, role: 'operator', label: 'first start' });
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.new`, `${text}\n`, { mode: 0o600, flush: true });
  await rename(`${file}.new`, file);
}
