/** What is kept: tenants and keys, series settings, mappings, rules, flows, activations, groups. */
export const registryKinds = [
  'tenant',
  'key',
  'series',
  'mapping',
  'rule',
  'flow',
  'activation',
  'group',
  'member',
  'erasure',
  'setting',
  'audit',
  'reprocess',
] as const;
export type RegistryKind = (typeof registryKinds)[number];

export interface RegistryEntry<Value> {
  readonly kind: RegistryKind;
  /** Path of the entry within its kind, `tenant/name`; empty tenant for what belongs to none. */
  readonly name: string;
  /** 1 for the first value, one more for each that replaced it; a name that was removed counts on, never anew. */
  readonly revision: number;
  readonly value: Value;
}

/** Thrown when the entry's revision is not the expected one: read it again and decide anew. */
export class RevisionConflictError extends Error {
  override readonly name = 'RevisionConflictError';
}

export const putsTogetherMax = 1_000;

/**
 * What the pipeline must know beside readings: versioned JSON entries with compare-and-set. Values come back as they
 * were put; parsing them is the caller's. Rejects with an error while the store is down.
 */
export interface Registry {
  get(kind: RegistryKind, name: string): Promise<RegistryEntry<unknown> | undefined>;
  /** Stores durably and returns the new revision. `expectedRevision` 0 means "must not exist"; throws {@link RevisionConflictError}. */
  put(
    kind: RegistryKind,
    name: string,
    change: { readonly value: unknown; readonly expectedRevision: number },
  ): Promise<number>;
  /**
   * Many puts of one kind, each by itself: where another was faster the answer is undefined, and the others stand all the
   * same. Durable when it resolves; costs less than so many puts. At most {@link putsTogetherMax}.
   */
  putAll(
    kind: RegistryKind,
    changes: readonly { readonly name: string; readonly value: unknown; readonly expectedRevision: number }[],
  ): Promise<readonly (number | undefined)[]>;
  /** Entries whose name starts with `prefix`, in the order of their names' UTF-8 bytes; at most `limit`, those after `after`. */
  list(
    kind: RegistryKind,
    page: { readonly prefix: string; readonly limit: number; readonly after?: string },
  ): Promise<readonly RegistryEntry<unknown>[]>;
  /** Removes durably; throws {@link RevisionConflictError}. */
  remove(kind: RegistryKind, name: string, expectedRevision: number): Promise<void>;
}
