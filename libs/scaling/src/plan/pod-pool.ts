/** How long a pod needs; measured, or as the manifest says. */
export interface PodTimes {
  /** From its creation until it takes messages: scheduling, image, start, probe. */
  readonly startSeconds: number;
  /** From SIGTERM until it is gone; it takes nothing new in this time, and is paid for. */
  readonly drainSeconds: number;
}

/** The pods of one Deployment or of one set of workers, by second. */
export class PodPool {
  readonly #times: PodTimes;
  /** Seconds in which pods become ready, and in which draining ones are gone: in order, as they were made. */
  readonly #starting: number[] = [];
  readonly #draining: number[] = [];
  ready: number;

  constructor(replicas: number, times: PodTimes) {
    this.#times = times;
    this.ready = replicas;
  }

  /** Those that count as replicas. */
  get replicas(): number {
    return this.ready + this.#starting.length;
  }

  /** Those that are paid for. */
  get existing(): number {
    return this.replicas + this.#draining.length;
  }

  advance(second: number): void {
    this.ready += shiftUntil(this.#starting, second);
    shiftUntil(this.#draining, second);
  }

  /** Pods that have not started yet go first, as a ReplicaSet chooses them, and at once. */
  scale(replicas: number, second: number): void {
    while (this.replicas < replicas) {
      this.#starting.push(second + this.#times.startSeconds);
    }
    while (this.replicas > replicas && this.#starting.length > 0) {
      this.#starting.pop();
    }
    while (this.replicas > replicas) {
      this.ready -= 1;
      this.#draining.push(second + this.#times.drainSeconds);
    }
  }

  /** A pod is gone without a word; its Deployment makes another. */
  kill(second: number): void {
    this.ready -= 1;
    this.#starting.push(second + this.#times.startSeconds);
  }
}

function shiftUntil(seconds: number[], second: number): number {
  const left = seconds.findIndex((each) => each > second);
  return seconds.splice(0, left < 0 ? seconds.length : left).length;
}
