import { RevisionConflictError, type Registry, type RegistryEntry, type RegistryKind } from './registry.ts';

const attemptsMax = 20;

/**
 * Reads an entry, decides, writes; again when another was faster. `decide` gets what is there now, and what it throws
 * ends the change.
 */
export async function changeEntry<Value>(
  registry: Registry,
  target: { readonly kind: RegistryKind; readonly name: string },
  decide: (entry: RegistryEntry<unknown> | undefined) => Value,
): Promise<Value> {
  for (let attempt = 1; ; attempt++) {
    const entry = await registry.get(target.kind, target.name);
    const value = decide(entry);
    try {
      await registry.put(target.kind, target.name, { value, expectedRevision: entry?.revision ?? 0 });
      return value;
    } catch (error) {
      if (!(error instanceof RevisionConflictError) || attempt === attemptsMax) {
        throw error;
      }
    }
  }
}
