/**
 * The keys that the groups of one running stage have claimed. A deduper tells owners apart, not the groups of one: what
 * one group works on, another of the same process holds.
 */
export class KeysInWork {
  readonly #groups = new Map<string, object>();

  /** Takes the key for the group unless another has it; true when it is the group's. */
  take(key: string, group: object): boolean {
    const holder = this.#groups.get(key) ?? group;
    this.#groups.set(key, holder);
    return holder === group;
  }

  /** Gives up those of the keys that are the group's: they are settled, or given back. */
  leave(keys: Iterable<string>, group: object): void {
    for (const key of keys) {
      if (this.#groups.get(key) === group) {
        this.#groups.delete(key);
      }
    }
  }
}
