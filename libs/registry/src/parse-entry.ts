import type { z } from 'zod';
import type { RegistryEntry } from './registry.ts';

/** Thrown when an entry does not read as what it should be: another build's, or damaged. Nothing is changed. */
export class UnreadableEntryError extends Error {
  override readonly name = 'UnreadableEntryError';
}

export function parseEntry<Schema extends z.ZodType>(schema: Schema, entry: RegistryEntry<unknown>): z.infer<Schema> {
  const parsed = schema.safeParse(entry.value);
  if (!parsed.success) {
    throw new UnreadableEntryError(`the registry's ${entry.kind} ${entry.name} can't be read: ${parsed.error.message}`);
  }
  return parsed.data;
}
