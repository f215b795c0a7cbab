/** What liveness is read from: the groups in work, and when each last came on. */
export class StageProgress {
  readonly #groups = new Set<GroupProgress>();

  /** Messages in work. */
  get inFlight(): number {
    return [...this.#groups].reduce((sum, { unsettled }) => sum + unsettled, 0);
  }

  /** True when any group in work did not come on for `limitMs`, whatever the others do. */
  stuck(nowMs: number, limitMs: number): boolean {
    return [...this.#groups].some(({ lastAtMs }) => nowMs - lastAtMs > limitMs);
  }

  begin(messages: number, nowMs: number): GroupProgress {
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
