/** What liveness and idleness are read from: the groups in work, when each last came on, and looks that found nothing. */
export class StageProgress {
  readonly #groups = new Set<GroupProgress>();
  /** The first and the last of the looks since which nothing was found and nothing was in work. */
  #nothing: { readonly sinceMs: number; readonly untilMs: number } | undefined;

  /** Messages in work. */
  get inFlight(): number {
    return [...this.#groups].reduce((sum, { unsettled }) => sum + unsettled, 0);
  }

  /** True when any group in work did not come on for `limitMs`, whatever the others do. */
  stuck(nowMs: number, limitMs: number): boolean {
    return [...this.#groups].some(({ lastAtMs }) => nowMs - lastAtMs > limitMs);
  }

  /** For how long every look at the subscription found nothing, and nothing was in work. */
  get idleMs(): number {
    return this.#nothing === undefined ? 0 : this.#nothing.untilMs - this.#nothing.sinceMs;
  }

  /** A look at the subscription found nothing. One that failed tells nothing: see `unknown`. */
  foundNothing(nowMs: number): void {
    this.#nothing = this.#groups.size > 0 ? undefined : { sinceMs: this.#nothing?.sinceMs ?? nowMs, untilMs: nowMs };
  }

  /** The subscription could not be looked at: who knows what waits there. */
  unknown(): void {
    this.#nothing = undefined;
  }

  begin(messages: number, nowMs: number): GroupProgress {
    this.#nothing = undefined;
    const group = new GroupProgress(messages, nowMs);
    this.#groups.add(group);
    return group;
  }

  end(group: GroupProgress): void {
    this.#groups.delete(group);
  }
}

/** How one group comes on. */
export class GroupProgress {
  unsettled: number;
  /** When a message of it was last settled, or was last waited for on purpose; at first, when it began. */
  lastAtMs: number;

  constructor(messages: number, nowMs: number) {
    this.unsettled = messages;
    this.lastAtMs = nowMs;
  }
}
