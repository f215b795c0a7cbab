import { builtInMappings, parseMapping, type Mapping } from '@meterflow/formats';
import { RevisionConflictError, UnreadableEntryError, type Registry, type RegistryEntry } from '@meterflow/registry';
import { z } from 'zod';
import { mappingsCachedTenantsMax, mappingsCacheMs, mappingsPerTenantMax, versionsPerMappingMax } from './limits.ts';
import { contentVersion, mappingVersion } from './mapping-version.ts';

export interface KnownMapping {
  readonly version: string;
  readonly mapping: Mapping;
  readonly isBuiltIn: boolean;
}

/** Thrown when a mapping is to be changed that the build brings along. */
export class BuiltInMappingError extends Error {
  override readonly name = 'BuiltInMappingError';
}

/** Thrown when a tenant has as many mappings, or a mapping as many versions, as may be. */
export class TooManyMappingsError extends Error {
  override readonly name = 'TooManyMappingsError';
}

const entrySchema = z.object({ version: z.string(), mapping: z.unknown() });

/** Names that stand for something else under `/v1/mappings`. */
const reservedNames: readonly string[] = ['schema'];

interface CachedChoices {
  readonly readAtMs: number;
  readonly choices: Promise<readonly Mapping[]>;
}

/**
 * Mappings: those built in, and each tenant's own. Every content that a mapping ever had is kept under its version until
 * the mapping is removed, so that a source that began under it is resumed under it.
 */
export class Mappings {
  readonly #registry: Registry;
  readonly #nowMs: () => number;
  readonly #cache = new Map<string, CachedChoices>();

  constructor(ports: { readonly registry: Registry; readonly nowMs: () => number }) {
    this.#registry = ports.registry;
    this.#nowMs = ports.nowMs;
  }

  /** The built-in one of that name, or the tenant's own as it is now. */
  async get(tenant: string, name: string): Promise<KnownMapping | undefined> {
    const builtIn = builtInMappings.find((mapping) => mapping.name === name);
    if (builtIn !== undefined) {
      return { version: contentVersion(builtIn), mapping: builtIn, isBuiltIn: true };
    }
    const entry = await this.#registry.get('mapping', currentEntry(tenant, name));
    return entry === undefined ? undefined : knownOf(entry);
  }

  /** As it was under `name@version`, whatever it is now. */
  async at(tenant: string, nameAndVersion: string): Promise<Mapping | undefined> {
    const builtIn = builtInMappings.find((mapping) => mappingVersion(mapping) === nameAndVersion);
    if (builtIn !== undefined) {
      return builtIn;
    }
    const entry = await this.#registry.get('mapping', versionEntry(tenant, nameAndVersion));
    return entry === undefined ? undefined : knownOf(entry).mapping;
  }

  /** The tenant's own, by name, then those built in. */
  async list(tenant: string): Promise<readonly KnownMapping[]> {
    const own = await this.#registry.list('mapping', { prefix: currentEntry(tenant, ''), limit: mappingsPerTenantMax });
    const builtIn = builtInMappings.map((mapping) => ({ version: contentVersion(mapping), mapping, isBuiltIn: true }));
    return [...own.map(knownOf), ...builtIn];
  }

  /** What a header is looked up among: {@link list}, no older than {@link mappingsCacheMs}. Asked for every source. */
  choices(tenant: string): Promise<readonly Mapping[]> {
    const readAtMs = this.#nowMs();
    const cached = this.#cache.get(tenant);
    if (cached !== undefined && readAtMs - cached.readAtMs < mappingsCacheMs) {
      return cached.choices;
    }
    if (this.#cache.size >= mappingsCachedTenantsMax) {
      this.#cache.clear();
    }
    const choices = this.list(tenant).then((known) => known.map(({ mapping }) => mapping));
    this.#cache.set(tenant, { readAtMs, choices });
    choices.catch(() => {
      this.#cache.delete(tenant);
    });
    return choices;
  }

  /**
   * Makes this the tenant's mapping of its name. Throws {@link BuiltInMappingError}, {@link TooManyMappingsError};
   * RevisionConflictError when another changes it at the same time.
   */
  async put(tenant: string, mapping: Mapping): Promise<KnownMapping & { readonly isNew: boolean }> {
    const { name } = mapping;
    refuseBuiltIn(name);
    const version = contentVersion(mapping);
    const current = await this.#registry.get('mapping', currentEntry(tenant, name));
    await this.#checkRoom(tenant, name, current);
    const value = { version, mapping };
    // 1. The version, which stays, 2. then the name points to it: never to a version that is not there.
    await this.#keepVersion(versionEntry(tenant, `${name}@${version}`), value);
    await this.#registry.put('mapping', currentEntry(tenant, name), {
      value,
      expectedRevision: current?.revision ?? 0,
    });
    this.#cache.delete(tenant);
    return { version, mapping, isBuiltIn: false, isNew: current === undefined };
  }

  /** False where there is none. Throws {@link BuiltInMappingError}, RevisionConflictError. */
  async remove(tenant: string, name: string): Promise<boolean> {
    refuseBuiltIn(name);
    const current = await this.#registry.get('mapping', currentEntry(tenant, name));
    if (current === undefined) {
      return false;
    }
    await this.#registry.remove('mapping', current.name, current.revision);
    this.#cache.delete(tenant);
    for (const { name: version, revision } of await this.#versions(tenant, name)) {
      await this.#registry.remove('mapping', version, revision);
    }
    return true;
  }

  async #checkRoom(tenant: string, name: string, current: RegistryEntry<unknown> | undefined): Promise<void> {
    const own = await this.#registry.list('mapping', { prefix: currentEntry(tenant, ''), limit: mappingsPerTenantMax });
    if (current === undefined && own.length >= mappingsPerTenantMax) {
      throw new TooManyMappingsError(`a tenant may have ${mappingsPerTenantMax} mappings; remove one first`);
    }
    if ((await this.#versions(tenant, name)).length >= versionsPerMappingMax) {
      const detail = `${name} has had ${versionsPerMappingMax} versions; remove it and put it again, or use a new name`;
      throw new TooManyMappingsError(detail);
    }
  }

  #versions(tenant: string, name: string): Promise<readonly RegistryEntry<unknown>[]> {
    return this.#registry.list('mapping', { prefix: versionEntry(tenant, `${name}@`), limit: versionsPerMappingMax });
  }

  async #keepVersion(name: string, value: unknown): Promise<void> {
    try {
      await this.#registry.put('mapping', name, { value, expectedRevision: 0 });
    } catch (error) {
      // It is there already, and the same: its name is its content.
      if (!(error instanceof RevisionConflictError)) {
        throw error;
      }
    }
  }
}

function refuseBuiltIn(name: string): void {
  if (reservedNames.includes(name) || builtInMappings.some((mapping) => mapping.name === name)) {
    throw new BuiltInMappingError(`the name ${name} is built in; choose another`);
  }
}

function currentEntry(tenant: string, name: string): string {
  return `${tenant}/current/${name}`;
}

function versionEntry(tenant: string, nameAndVersion: string): string {
  return `${tenant}/version/${nameAndVersion}`;
}

function knownOf(entry: RegistryEntry<unknown>): KnownMapping {
  try {
    const { version, mapping } = entrySchema.parse(entry.value);
    return { version, mapping: parseMapping(mapping), isBuiltIn: false };
  } catch (error) {
    throw new UnreadableEntryError(`the registry's mapping ${entry.name} can't be read: ${String(error)}`, {
      cause: error,
    });
  }
}
