const minuteMs = 60_000;

interface Allowance {
  left: number;
  atMs: number;
}

/**
 * How many requests a tenant may still make: an allowance of a minute's requests, refilled evenly. Each process counts
 * for itself. One entry a tenant that has a valid key.
 */
export class RequestQuota {
  readonly #nowMs: () => number;
  readonly #allowances = new Map<string, Allowance>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Takes one request; returns how long to wait where none is left, else 0. */
  take(tenant: string, requestsPerMinute: number): number {
    const nowMs = this.#nowMs();
    const allowance = this.#allowances.get(tenant) ?? { left: requestsPerMinute, atMs: nowMs };
    this.#allowances.set(tenant, allowance);
    const refilled = allowance.left + ((nowMs - allowance.atMs) * requestsPerMinute) / minuteMs;
    allowance.left = Math.min(requestsPerMinute, refilled);
    allowance.atMs = nowMs;
    if (allowance.left < 1) {
      return requestsPerMinute === 0 ? minuteMs : ((1 - allowance.left) * minuteMs) / requestsPerMinute;
    }
    allowance.left -= 1;
    return 0;
  }
}
