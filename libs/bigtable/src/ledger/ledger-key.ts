import type { Cause } from '@meterflow/readings';
import { hashedKey } from '../rows/key-hash.ts';

/** The rows of a source are those under its key. */
export function sourceKey(sourceId: string): Buffer {
  return hashedKey(sourceId);
}

/** The row of an accepted batch. */
export function batchKey({ sourceId, key }: Pick<Cause, 'sourceId' | 'key'>): Buffer {
  return Buffer.concat([sourceKey(sourceId), Buffer.from(key)]);
}
