import {
  ApiException,
  V1Lease,
  V1LeaseSpec,
  V1MicroTime,
  V1ObjectMeta,
  type CoordinationV1Api,
} from '@kubernetes/client-node';

export interface LeadershipOptions {
  readonly api: CoordinationV1Api;
  readonly namespace: string;
  readonly name: string;
  /** Names this process among those that may lead. */
  readonly identity: string;
  /** Who has not renewed for so long leads no more. */
  readonly leaseMs: number;
  readonly nowMs: () => number;
}

const conflict = 409;
const notFound = 404;
const msPerSecond = 1_000;

/**
 * One of several processes leads, by a Lease that it renews. As in Kubernetes' own components a lease is run out when this
 * process saw no change of it for `leaseMs` by its own clock: clocks of others are not compared. Called by one caller at a
 * time, several times within each `leaseMs`.
 */
export class Leadership {
  readonly #options: LeadershipOptions;
  #seen: { readonly version: string | undefined; readonly atMs: number } | undefined;

  constructor(options: LeadershipOptions) {
    this.#options = options;
  }

  /** Takes or renews the lease; true when this process leads now. Rejects where the API server does not answer. */
  async hold(): Promise<boolean> {
    const lease = await this.#read();
    const { identity, leaseMs, nowMs } = this.#options;
    const version = lease?.metadata?.resourceVersion;
    if (this.#seen === undefined || this.#seen.version !== version) {
      this.#seen = { version, atMs: nowMs() };
    }
    const holder = lease?.spec?.holderIdentity ?? '';
    const isFree = holder === '' || holder === identity || nowMs() - this.#seen.atMs >= leaseMs;
    return isFree && (await this.#write(lease, identity));
  }

  /** Gives the lease up, so that another need not wait for it to run out. */
  async release(): Promise<void> {
    const lease = await this.#read();
    if (lease?.spec?.holderIdentity === this.#options.identity) {
      await this.#write(lease, '');
    }
  }

  async #read(): Promise<V1Lease | undefined> {
    const { api, namespace, name } = this.#options;
    try {
      return await api.readNamespacedLease({ namespace, name });
    } catch (error) {
      if (error instanceof ApiException && error.code === notFound) {
        return undefined;
      }
      throw error;
    }
  }

  /** False when another was faster: the version that was read goes along, and who wrote in between wins. */
  async #write(read: V1Lease | undefined, holderIdentity: string): Promise<boolean> {
    const { api, namespace, name, nowMs } = this.#options;
    const body = this.#heldBy(holderIdentity, read);
    try {
      const written =
        read === undefined
          ? await api.createNamespacedLease({ namespace, body })
          : await api.replaceNamespacedLease({ namespace, name, body });
      this.#seen = { version: written.metadata?.resourceVersion, atMs: nowMs() };
      return true;
    } catch (error) {
      if (error instanceof ApiException && error.code === conflict) {
        return false;
      }
      throw error;
    }
  }

  #heldBy(holderIdentity: string, lease = this.#newLease()): V1Lease {
    const spec = lease.spec ?? new V1LeaseSpec();
    spec.renewTime = new V1MicroTime(this.#options.nowMs());
    spec.leaseDurationSeconds = Math.ceil(this.#options.leaseMs / msPerSecond);
    if (spec.holderIdentity !== holderIdentity) {
      spec.holderIdentity = holderIdentity;
      spec.acquireTime = spec.renewTime;
      spec.leaseTransitions = (spec.leaseTransitions ?? 0) + 1;
    }
    lease.spec = spec;
    return lease;
  }

  #newLease(): V1Lease {
    const lease = new V1Lease();
    lease.metadata = new V1ObjectMeta();
    lease.metadata.name = this.#options.name;
    return lease;
  }
}
