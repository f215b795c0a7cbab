/**
 * Keys of a subscription lie in so many slots of a cluster: enough to spread over its nodes, few enough that a group of
 * messages is few calls. Changing it makes every mark void, which costs work but no result.
 */
export const shardsPerSubscription = 8;

/** The format of what is stored; another format gets other names. */
const prefix = 'mf1:';

/** Keys that one call may hold together, with their places in the caller's list. */
export interface KeyGroup {
  /** What a cluster places the keys by; empty when they need not lie together. */
  readonly tag: string;
  readonly names: readonly string[];
  readonly indexes: readonly number[];
}

/** Redis' names of dedupe keys, `subscription/epoch/key`, in groups of one slot, or in one group where there are no slots. */
export function placedKeys(keys: readonly string[], isCluster: boolean): readonly KeyGroup[] {
  const groups = new Map<string, { tag: string; names: string[]; indexes: number[] }>();
  keys.forEach((key, index) => {
    const tag = tagOf(key);
    const place = isCluster ? tag : '';
    const group = groups.get(place) ?? { tag: place, names: [], indexes: [] };
    groups.set(place, group);
    group.names.push(`${prefix}{${tag}}${key.slice(key.indexOf('/') + 1)}`);
    group.indexes.push(index);
  });
  return [...groups.values()];
}

/** A cluster hashes only what stands between the braces. */
function tagOf(key: string): string {
  return `${key.slice(0, Math.max(0, key.indexOf('/')))}.${fnv1a(key) % shardsPerSubscription}`;
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  // The low bits alone mix badly where only the last characters differ.
  return (hash ^ (hash >>> 15)) >>> 0;
}
