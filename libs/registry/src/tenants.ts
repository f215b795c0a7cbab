import { tenantName } from '@meterflow/readings';
import { z } from 'zod';
import { changeEntry } from './change-entry.ts';
import { entries } from './entries.ts';
import { parseEntry } from './parse-entry.ts';
import { RevisionConflictError, type Registry } from './registry.ts';

/** What one tenant may use. */
export interface Quotas {
  readonly readingsPerDay: number;
  readonly bytesPerRequest: number;
  readonly requestsPerMinute: number;
}

/** What a tenant gets that is told nothing else. */
export const quotaDefaults: Quotas = {
  readingsPerDay: 2_000_000_000,
  bytesPerRequest: 8 * 1024 ** 3,
  requestsPerMinute: 6_000,
};

/** What a tenant is promised that is told nothing else. */
export const queryableWithinMsDefault = 60_000;

export interface Tenant {
  readonly name: string;
  readonly createdAtMs: number;
  readonly quotas: Quotas;
  /** The promise: so soon after their acceptance readings can be queried. Kept or not, it is counted. */
  readonly queryableWithinMs: number;
  /** What becomes of readings of a series that is not registered. */
  readonly unknownSeries: UnknownSeriesPolicy;
}

/** `create`: they are taken, and the series is there. `refuse`: they are rejected, and all else of their source is taken. */
export const unknownSeriesPolicies = ['create', 'refuse'] as const;
export type UnknownSeriesPolicy = (typeof unknownSeriesPolicies)[number];

/** Thrown when a tenant of that name is there already. */
export class TenantExistsError extends Error {
  override readonly name = 'TenantExistsError';
}

/** Thrown when there is no such tenant. */
export class UnknownTenantError extends Error {
  override readonly name = 'UnknownTenantError';
}

const quota = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
export const quotasSchema = z.object({
  readingsPerDay: quota,
  bytesPerRequest: quota,
  requestsPerMinute: quota,
});
// Only what was set is kept, so that a changed default reaches the tenants that never set it.
export const queryableWithinMsSchema = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
const tenantSchema = z.object({
  createdAtMs: z.number(),
  quotas: quotasSchema.partial(),
  queryableWithinMs: queryableWithinMsSchema.optional(),
  unknownSeries: z.enum(unknownSeriesPolicies).optional(),
});
/** What may be changed of a tenant; what is not given stays as it is. */
export interface TenantChange {
  readonly quotas?: Partial<Quotas>;
  readonly queryableWithinMs?: number;
  readonly unknownSeries?: UnknownSeriesPolicy;
}

export class Tenants {
  readonly #registry: Registry;
  readonly #nowMs: () => number;

  constructor(ports: { readonly registry: Registry; readonly nowMs: () => number }) {
    this.#registry = ports.registry;
    this.#nowMs = ports.nowMs;
  }

  /** Throws {@link TenantExistsError}; InvalidReadingError for a name that is no DNS label. */
  async create(name: string, quotas: Partial<Quotas> = {}): Promise<Tenant> {
    const value = tenantSchema.parse({ createdAtMs: this.#nowMs(), quotas });
    try {
      await this.#registry.put('tenant', tenantName(name), { value, expectedRevision: 0 });
    } catch (error) {
      throw error instanceof RevisionConflictError
        ? new TenantExistsError(`there is a tenant ${name} already`, { cause: error })
        : error;
    }
    return tenantOf(name, value);
  }

  /** The tenant of that name, made when there is none. */
  async ensure(name: string): Promise<Tenant> {
    const found = await this.get(name);
    return (
      found ??
      this.create(name).catch((error: unknown) => {
        if (error instanceof TenantExistsError) {
          return this.require(name);
        }
        throw error;
      })
    );
  }

  async get(name: string): Promise<Tenant | undefined> {
    const entry = await this.#registry.get('tenant', name);
    return entry === undefined ? undefined : tenantOf(name, parseEntry(tenantSchema, entry));
  }

  /** Throws {@link UnknownTenantError}. */
  async require(name: string): Promise<Tenant> {
    const tenant = await this.get(name);
    if (tenant === undefined) {
      throw new UnknownTenantError(`there is no tenant ${name}`);
    }
    return tenant;
  }

  /** All tenants, by name. */
  async list(): Promise<readonly Tenant[]> {
    const tenants: Tenant[] = [];
    for await (const entry of entries(this.#registry, 'tenant', '')) {
      tenants.push(tenantOf(entry.name, parseEntry(tenantSchema, entry)));
    }
    return tenants;
  }

  setQuotas(name: string, quotas: Partial<Quotas>): Promise<Tenant> {
    return this.change(name, { quotas });
  }

  /** Sets what is given; all else stays as it is. Throws {@link UnknownTenantError}. */
  async change(name: string, { quotas, ...others }: TenantChange): Promise<Tenant> {
    const value = await changeEntry(this.#registry, { kind: 'tenant', name }, (entry) => {
      if (entry === undefined) {
        throw new UnknownTenantError(`there is no tenant ${name}`);
      }
      const before = parseEntry(tenantSchema, entry);
      return tenantSchema.parse({ ...before, ...others, quotas: { ...before.quotas, ...quotas } });
    });
    return tenantOf(name, value);
  }
}

function tenantOf(
  name: string,
  {
    createdAtMs,
    quotas,
    queryableWithinMs = queryableWithinMsDefault,
    unknownSeries = 'create',
  }: z.infer<typeof tenantSchema>,
): Tenant {
  return {
    name,
    createdAtMs,
    quotas: {
      readingsPerDay: quotas.readingsPerDay ?? quotaDefaults.readingsPerDay,
      bytesPerRequest: quotas.bytesPerRequest ?? quotaDefaults.bytesPerRequest,
      requestsPerMinute: quotas.requestsPerMinute ?? quotaDefaults.requestsPerMinute,
    },
    queryableWithinMs,
    unknownSeries,
  };
}
