import { roles, type Principal, type Role } from '@meterflow/registry';
import { InvalidReadingError, tenantName } from '@meterflow/readings';

/**
 * Whoever can open a socket inside the data directory owns all that is in it: on such a socket, and nowhere else, the
 * credential says itself for whom it acts, `local.<role>.<tenant>`.
 */
export function localCredential(role: Role, tenant: string): string {
  return `local.${role}.${tenant}`;
}

/** The principal of a {@link localCredential}; undefined for any other text, also of what is no tenant's name. */
export function localPrincipal(text: string): Principal | undefined {
  const [local, roleText, tenant] = text.split('.');
  const role = roles.find((known) => known === roleText);
  if (local !== 'local' || role === undefined || tenant === undefined) {
    return undefined;
  }
  try {
    return { tenant: tenantName(tenant), role, keyId: 'local' };
  } catch (error) {
    if (error instanceof InvalidReadingError) {
      return undefined;
    }
    throw error;
  }
}
