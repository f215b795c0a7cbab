import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { changeEntry } from './change-entry.ts';
import { entries } from './entries.ts';
import { parseEntry } from './parse-entry.ts';
import type { Registry, RegistryEntry } from './registry.ts';
import { Tenants } from './tenants.ts';

/** `provider` writes readings, `customer` has rules and queries, `operator` runs the pipeline. */
export const roles = ['provider', 'customer', 'operator'] as const;
export type Role = (typeof roles)[number];

/** Who a request is from: all that follows from a credential. */
export interface Principal {
  readonly tenant: string;
  readonly role: Role;
  readonly keyId: string;
}

/** A key without its secrets. */
export interface ApiKey extends Principal {
  /** What a person calls it. */
  readonly label: string;
  readonly createdAtMs: number;
  readonly revokedAtMs: number | undefined;
  /** How many secrets are valid now: 2 in the overlap of a rotation. */
  readonly validSecrets: number;
}

/** The only time that the secret is seen. */
export interface IssuedKey {
  readonly key: ApiKey;
  /** `mf_<id>_<secret>`: what goes after `Authorization: Bearer`. */
  readonly text: string;
}

/** Thrown when the tenant has no such key. */
export class UnknownKeyError extends Error {
  override readonly name = 'UnknownKeyError';
}

/** Thrown when a revoked key is to be rotated, or more overlapping secrets are asked for than a key may have. */
export class KeyNotRotatableError extends Error {
  override readonly name = 'KeyNotRotatableError';
}

export const secretsPerKeyMax = 4;
const secretBytes = 32;
const idBytes = 8;
const keyPattern = /^mf_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;

const keySchema = z.object({
  tenant: z.string(),
  role: z.enum(roles),
  label: z.string().max(200),
  createdAtMs: z.number(),
  revokedAtMs: z.number().nullable(),
  secrets: z.array(z.object({ hash: z.string(), validUntilMs: z.number().nullable() })),
});
type KeyValue = z.infer<typeof keySchema>;

export interface KeysPorts {
  readonly registry: Registry;
  readonly nowMs: () => number;
  /** Cryptographically random bytes. */
  readonly randomBytes: (count: number) => Uint8Array;
}

/**
 * API keys. A key keeps its id when it is rotated; a secret is 256 random bits and is stored as its SHA-256: slow
 * hashes guard what people think up, against 2^256 they add nothing but load on every request.
 */
export class Keys {
  readonly #registry: Registry;
  readonly #nowMs: () => number;
  readonly #randomBytes: (count: number) => Uint8Array;
  readonly #tenants: Tenants;

  constructor(ports: KeysPorts) {
    this.#registry = ports.registry;
    this.#nowMs = ports.nowMs;
    this.#randomBytes = ports.randomBytes;
    this.#tenants = new Tenants(ports);
  }

  /** Throws UnknownTenantError. */
  async create(request: { readonly tenant: string; readonly role: Role; readonly label: string }): Promise<IssuedKey> {
    await this.#tenants.require(request.tenant);
    const id = Buffer.from(this.#randomBytes(idBytes)).toString('hex');
    const secret = this.#secret();
    const value = keySchema.parse({
      ...request,
      createdAtMs: this.#nowMs(),
      revokedAtMs: null,
      secrets: [{ hash: hashOf(secret), validUntilMs: null }],
    });
    await this.#registry.put('key', entryName(id), { value, expectedRevision: 0 });
    return { key: this.#keyOf(id, value), text: `mf_${id}_${secret}` };
  }

  /** Gives the key a new secret; those before stay valid until `oldValidUntilMs`. Throws {@link UnknownKeyError}, {@link KeyNotRotatableError}. */
  async rotate(tenant: string, id: string, oldValidUntilMs: number): Promise<IssuedKey> {
    const secret = this.#secret();
    const nowMs = this.#nowMs();
    const value = await this.#change(tenant, id, (key) => {
      const kept = key.secrets
        .map(({ hash, validUntilMs }) => ({ hash, validUntilMs: Math.min(validUntilMs ?? Infinity, oldValidUntilMs) }))
        .filter(({ validUntilMs }) => validUntilMs > nowMs);
      if (key.revokedAtMs !== null) {
        throw new KeyNotRotatableError(`the key ${id} is revoked; create a new one`);
      }
      if (kept.length >= secretsPerKeyMax) {
        throw new KeyNotRotatableError(`the key ${id} has ${kept.length} valid secrets; let one expire first`);
      }
      return { ...key, secrets: [...kept, { hash: hashOf(secret), validUntilMs: null }] };
    });
    return { key: this.#keyOf(id, value), text: `mf_${id}_${secret}` };
  }

  /** Ends the key at once. A second time changes nothing. Throws {@link UnknownKeyError}. */
  async revoke(tenant: string, id: string): Promise<ApiKey> {
    const nowMs = this.#nowMs();
    const value = await this.#change(tenant, id, (key) => ({ ...key, revokedAtMs: key.revokedAtMs ?? nowMs }));
    return this.#keyOf(id, value);
  }

  /** The tenant's keys, oldest first, without secrets. */
  async list(tenant: string): Promise<readonly ApiKey[]> {
    const keys: ApiKey[] = [];
    for await (const entry of entries(this.#registry, 'key', '/')) {
      const value = parseEntry(keySchema, entry);
      if (value.tenant === tenant) {
        keys.push(this.#keyOf(entry.name.slice(1), value));
      }
    }
    return keys.sort((a, b) => a.createdAtMs - b.createdAtMs);
  }

  /**
   * Whose key this text is; undefined for anything that is not a valid key now. Called for every request. How long it
   * takes tells nothing of a secret: hashes are compared, all of them, in constant time.
   */
  async authenticate(text: string): Promise<Principal | undefined> {
    const [, id, secret] = keyPattern.exec(text) ?? [];
    if (id === undefined || secret === undefined) {
      return undefined;
    }
    const entry = await this.#registry.get('key', entryName(id));
    const given = Buffer.from(hashOf(secret), 'hex');
    if (entry === undefined) {
      return undefined;
    }
    const key = parseEntry(keySchema, entry);
    const nowMs = this.#nowMs();
    let valid = false;
    for (const { hash, validUntilMs } of key.secrets) {
      const same = timingSafeEqual(Buffer.from(hash, 'hex'), given);
      valid ||= same && (validUntilMs === null || nowMs < validUntilMs);
    }
    return valid && key.revokedAtMs === null ? { tenant: key.tenant, role: key.role, keyId: id } : undefined;
  }

  #change(tenant: string, id: string, decide: (key: KeyValue) => KeyValue): Promise<KeyValue> {
    return changeEntry(
      this.#registry,
      { kind: 'key', name: entryName(id) },
      (entry: RegistryEntry<unknown> | undefined) => {
        const key = entry === undefined ? undefined : parseEntry(keySchema, entry);
        if (key?.tenant !== tenant) {
          throw new UnknownKeyError(`the tenant ${tenant} has no key ${id}`);
        }
        return decide(key);
      },
    );
  }

  #keyOf(id: string, value: KeyValue): ApiKey {
    const nowMs = this.#nowMs();
    const valid = value.secrets.filter(({ validUntilMs }) => validUntilMs === null || nowMs < validUntilMs);
    return {
      keyId: id,
      tenant: value.tenant,
      role: value.role,
      label: value.label,
      createdAtMs: value.createdAtMs,
      revokedAtMs: value.revokedAtMs ?? undefined,
      validSecrets: value.revokedAtMs === null ? valid.length : 0,
    };
  }

  #secret(): string {
    return Buffer.from(this.#randomBytes(secretBytes)).toString('base64url');
  }
}

// A credential is looked up before its tenant is known, so keys belong to none.
function entryName(id: string): string {
  return `/${id}`;
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
