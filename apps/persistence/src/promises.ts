import { queryableWithinMsDefault, type Tenants } from '@meterflow/registry';

/** How old what is known of a tenant's promise may be. */
const knownMsMax = 60_000;
const tenantsMax = 10_000;

/** How soon each tenant's readings are to be queryable, looked up now and then. Never rejects and never keeps a write waiting. */
export class Promises {
  readonly #tenants: Pick<Tenants, 'get'>;
  readonly #nowMs: () => number;
  readonly #known = new Map<string, { withinMs: number; askedAtMs: number }>();

  constructor(tenants: Pick<Tenants, 'get'>, nowMs: () => number) {
    this.#tenants = tenants;
    this.#nowMs = nowMs;
  }

  /** What was known last; the default until the tenant was looked up. */
  withinMs(tenant: string): number {
    const known = this.#known.get(tenant);
    if (known === undefined || this.#nowMs() - known.askedAtMs > knownMsMax) {
      this.#ask(tenant, known?.withinMs ?? queryableWithinMsDefault);
    }
    return known?.withinMs ?? queryableWithinMsDefault;
  }

  #ask(tenant: string, withinMs: number): void {
    if (this.#known.size >= tenantsMax) {
      this.#known.clear();
    }
    const entry = { withinMs, askedAtMs: this.#nowMs() };
    this.#known.set(tenant, entry);
    this.#tenants
      .get(tenant)
      .then((found) => {
        entry.withinMs = found?.queryableWithinMs ?? queryableWithinMsDefault;
      })
      .catch(() => undefined);
  }
}
