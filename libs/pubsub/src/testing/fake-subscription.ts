/** A message that a topic keeps. */
export interface Kept {
  readonly id: string;
  readonly data: Uint8Array;
  readonly attributes: Readonly<Record<string, string>>;
  readonly atMs: number;
}

interface Waiting {
  readonly kept: Kept;
  /** The name of its last delivery: an ack of an earlier one is worth nothing. */
  ackId: string;
  /** Not delivered before this time. */
  dueAtMs: number;
  deliveries: number;
}

export interface Settings {
  readonly topic: string;
  readonly ackDeadlineSeconds: number;
}

/** One subscription of the fake: every message kept, and which of them wait or are leased. */
export class FakeSubscription {
  readonly settings: Settings;
  readonly #kept: readonly Kept[];
  #waiting = new Map<string, Waiting>();
  #leases = 0;

  constructor(settings: Settings, kept: readonly Kept[]) {
    this.settings = settings;
    this.#kept = kept;
  }

  get topic(): string {
    return this.settings.topic;
  }

  get unsettled(): number {
    return this.#waiting.size;
  }

  leased(nowMs: number): number {
    return [...this.#waiting.values()].filter(({ ackId, dueAtMs }) => ackId !== '' && dueAtMs > nowMs).length;
  }

  get oldestMs(): number | undefined {
    const times = [...this.#waiting.values()].map(({ kept }) => kept.atMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  add(messages: readonly Kept[]): void {
    for (const kept of messages) {
      this.#waiting.set(kept.id, { kept, ackId: '', dueAtMs: 0, deliveries: 0 });
    }
  }

  /** New ones in order; the youngest redelivery first, and before all new ones. */
  lease(count: number, nowMs: number): readonly unknown[] {
    const due = [...this.#waiting.values()].filter(({ dueAtMs }) => dueAtMs <= nowMs);
    const again = due.filter(({ deliveries }) => deliveries > 0).reverse();
    const first = due.filter(({ deliveries }) => deliveries === 0);
    return [...again, ...first].slice(0, count).map((waiting) => {
      waiting.deliveries += 1;
      waiting.ackId = `lease-${(this.#leases += 1)}`;
      waiting.dueAtMs = nowMs + this.settings.ackDeadlineSeconds * 1_000;
      const { id, data, attributes, atMs } = waiting.kept;
      const publishTime = { seconds: Math.floor(atMs / 1_000), nanos: Math.floor(atMs % 1_000) * 1_000_000 };
      return { ackId: waiting.ackId, message: { messageId: id, data, attributes, publishTime } };
    });
  }

  /** Returns how many came too late. */
  ack(ackIds: readonly string[], nowMs: number): number {
    const held = this.#held(ackIds, nowMs);
    held.forEach(({ kept }) => this.#waiting.delete(kept.id));
    return ackIds.length - held.length;
  }

  /** Returns how many came too late. */
  modify(ackIds: readonly string[], { nowMs, seconds }: { readonly nowMs: number; readonly seconds: number }): number {
    const held = this.#held(ackIds, nowMs);
    held.forEach((waiting) => {
      waiting.dueAtMs = nowMs + seconds * 1_000;
    });
    return ackIds.length - held.length;
  }

  /** What was published before is settled, the rest waits; no lease from before is worth anything. */
  seek(toMs: number): void {
    this.#waiting = new Map();
    this.add(this.#kept.filter(({ atMs }) => atMs >= toMs));
  }

  #held(ackIds: readonly string[], nowMs: number): readonly Waiting[] {
    const wanted = new Set(ackIds);
    return [...this.#waiting.values()].filter(({ ackId, dueAtMs }) => wanted.has(ackId) && dueAtMs > nowMs);
  }
}
