import { createHash } from 'node:crypto';
import type { Mapping } from '@meterflow/formats';

const versionHexChars = 12;

/** `name@version`: a mapping's version is what it says; the same name with other rules is another version. */
export function mappingVersion(mapping: Mapping): string {
  return `${mapping.name}@${contentVersion(mapping)}`;
}

/** The version alone. */
export function contentVersion(mapping: Mapping): string {
  return createHash('sha256').update(canonical(mapping)).digest('hex').slice(0, versionHexChars);
}

/** The same text whatever order the properties were written in. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
