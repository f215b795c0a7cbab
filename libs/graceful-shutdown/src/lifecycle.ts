/**
 * starting ─▶ running ─▶ draining ─▶ stopped
 *     └──────────┴──────────┴──────▶ failed
 */
export const lifecycleStates = ['starting', 'running', 'draining', 'stopped', 'failed'] as const;
export type LifecycleState = (typeof lifecycleStates)[number];

/** How it ended: everything closed; closed, but something went wrong; or the deadline passed with resources still open. */
export type Ending = 'stopped' | 'failed' | 'deadline-passed';

/** Closes one resource: resolves when nothing of it is left. Called once, after all that was registered later is closed. */
export type Close = () => Promise<void> | void;

/** Where the lifecycle tells what it does; a `Logger` of libs/stage fits. */
export interface LifecycleLog {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export interface Timers {
  nowMs(): number;
  /** Calls once after `ms`; returns what cancels it. */
  after(ms: number, call: () => void): () => void;
}

export interface DrainRequest {
  /** From this call to the end of the drain. A second request can only shorten it. */
  readonly deadlineMs: number;
  /** For the log: what asked for it. */
  readonly reason: string;
}

interface Resource {
  readonly name: string;
  readonly close: Close;
}

/**
 * One process's life: what is open, and in which order it closes. Stages watch `signal`, the readiness route reads
 * `ready`; whoever opens something registers how it closes.
 */
export class Lifecycle {
  readonly #timers: Timers;
  readonly #log: LifecycleLog;
  readonly #draining = new AbortController();
  readonly #ended = Promise.withResolvers<Ending>();
  readonly #open: Resource[] = [];
  #state: LifecycleState = 'starting';
  #failed = false;
  #closing: string | undefined;
  #deadline: { readonly atMs: number; readonly cancel: () => void } | undefined;

  constructor(ports: { readonly timers: Timers; readonly log: LifecycleLog }) {
    this.#timers = ports.timers;
    this.#log = ports.log;
  }

  get state(): LifecycleState {
    return this.#state;
  }

  /** True only while running: false from the first moment of draining, before anything is closed. */
  get ready(): boolean {
    return this.#state === 'running';
  }

  /** Aborts at the first moment of draining, or of failing: stop receiving. */
  get signal(): AbortSignal {
    return this.#draining.signal;
  }

  /** Resolves once, when everything is closed or the deadline has passed. Never rejects. */
  get ended(): Promise<Ending> {
    return this.#ended.promise;
  }

  /**
   * Closes are called in reverse order of registration, one after the other: register the store first, what writes to
   * it later. What is registered while draining is closed next, after the end at once.
   */
  register(name: string, close: Close): void {
    this.#open.push({ name, close });
    if (this.#state === 'stopped' || this.#state === 'failed') {
      void this.#closeAll();
    }
  }

  /** Everything is open: ready from now on. Changes nothing when a drain began during the start. */
  started(): void {
    if (this.#state === 'starting') {
      this.#state = 'running';
    }
  }

  /** Not ready, then `signal`, then the closes. Called again it may bring the deadline forward, no more. */
  drain(request: DrainRequest): Promise<Ending> {
    this.#bringForward(request.deadlineMs);
    if (this.#state === 'starting' || this.#state === 'running') {
      this.#log.info('draining', { reason: request.reason, deadlineMs: request.deadlineMs });
      this.#state = 'draining';
      this.#draining.abort();
      void this.#closeAll().then(() => {
        this.#end(this.#failed ? 'failed' : 'stopped');
      });
    }
    return this.ended;
  }

  /** This process can't go on: drains what can be drained and ends as failed. */
  fail(error: unknown, deadlineMs: number): Promise<Ending> {
    this.#failed = true;
    this.#log.error('failed', { error });
    return this.drain({ deadlineMs, reason: 'failure' });
  }

  async #closeAll(): Promise<void> {
    // What the abort has set going gets to run before the first resource goes away.
    await Promise.resolve();
    for (let resource = this.#open.pop(); resource !== undefined; resource = this.#open.pop()) {
      this.#closing = resource.name;
      try {
        await resource.close();
      } catch (error) {
        this.#failed = true;
        this.#log.error('could not close', { resource: resource.name, error });
      }
    }
    this.#closing = undefined;
  }

  #bringForward(deadlineMs: number): void {
    const atMs = this.#timers.nowMs() + deadlineMs;
    if (this.#state === 'stopped' || this.#state === 'failed' || (this.#deadline?.atMs ?? Infinity) <= atMs) {
      return;
    }
    this.#deadline?.cancel();
    const cancel = this.#timers.after(deadlineMs, () => {
      const open = this.#open.map(({ name }) => name).reverse();
      this.#log.error('the drain took too long; what was not settled comes again', { closing: this.#closing, open });
      this.#end('deadline-passed');
    });
    this.#deadline = { atMs, cancel };
  }

  #end(ending: Ending): void {
    if (this.#state !== 'draining') {
      return;
    }
    this.#deadline?.cancel();
    this.#state = ending === 'stopped' ? 'stopped' : 'failed';
    this.#log.info('ended', { ending });
    this.#ended.resolve(ending);
  }
}
