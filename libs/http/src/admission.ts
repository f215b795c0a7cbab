import type { Principal, Quotas } from '@meterflow/registry';
import { Problem, wrongRole } from './problem.ts';
import { RequestQuota } from './request-quota.ts';
import type { Route } from './route.ts';

export interface AdmissionPorts {
  /** Whose key this text is. Called for every request. */
  readonly authenticate: (text: string) => Promise<Principal | undefined>;
  /** Called once in {@link quotasCacheMs} for a tenant. */
  readonly quotas: (tenant: string) => Promise<Quotas>;
  readonly nowMs: () => number;
}

const quotasCacheMs = 10_000;

/** The one place where it is decided whether a request may go on. */
export class Admission {
  readonly #ports: AdmissionPorts;
  readonly #requests: RequestQuota;
  readonly #quotas = new Map<string, { readonly readAtMs: number; readonly quotas: Quotas }>();

  constructor(ports: AdmissionPorts) {
    this.#ports = ports;
    this.#requests = new RequestQuota(ports.nowMs);
  }

  /** 1. who it is, 2. whether the role may, 3. whether the tenant has requests left. Throws {@link Problem}. */
  async admit(route: Route, authorization: string | undefined): Promise<{ principal: Principal; quotas: Quotas }> {
    const text = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (text === undefined) {
      throw new Problem('not-authenticated', 'the request has no "Authorization: Bearer" header');
    }
    const principal = await this.#ports.authenticate(text);
    if (principal === undefined) {
      throw new Problem('not-authenticated', 'the API key is unknown, expired or revoked');
    }
    if (!route.roles.includes(principal.role)) {
      throw wrongRole(principal.role, route.roles);
    }
    const quotas = await this.#quotasOf(principal.tenant);
    const waitMs = this.#requests.take(principal.tenant, quotas.requestsPerMinute);
    if (waitMs > 0) {
      const detail = `the tenant may make ${quotas.requestsPerMinute} requests a minute`;
      throw new Problem('too-many-requests', detail, { retryAfterSeconds: waitMs / 1000 });
    }
    return { principal, quotas };
  }

  async #quotasOf(tenant: string): Promise<Quotas> {
    const nowMs = this.#ports.nowMs();
    const cached = this.#quotas.get(tenant);
    if (cached !== undefined && nowMs - cached.readAtMs < quotasCacheMs) {
      return cached.quotas;
    }
    const quotas = await this.#ports.quotas(tenant);
    this.#quotas.set(tenant, { readAtMs: nowMs, quotas });
    return quotas;
  }
}
