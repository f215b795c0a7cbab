import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Clock, Logger } from '@meterflow/stage';

/**
 * What a service tells its supervisor: it is ready, or can't be, for now or until somebody mends something; then, every
 * second, whether its work moves.
 */
export type ServiceMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly reason: string; readonly mayPass?: boolean }
  | { readonly type: 'alive'; readonly stuck: boolean };

/** Thrown when a service ended by itself before it was ever ready, or again and again: another start would end no better. */
export class ServiceStartError extends Error {
  override readonly name = 'ServiceStartError';
}

export interface ServiceDefinition {
  readonly name: string;
  /** The module that is its process. */
  readonly entry: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface ServiceOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** A process that says nothing, or says that it is stuck, for so long is ended and started anew. */
  readonly silenceMsMax: number;
  /** Makes what an ended run held come again at once; told its name, returns how many messages. May throw. */
  readonly onEnd: (owner: string) => number;
}

const watchEveryMs = 1_000;
/** Not alive, though not given up yet, after this part of the silence that is allowed. */
const lateShare = 1 / 3;
/** How long a process may take until it is ready; it says nothing before. */
const startMsMax = 60_000;
const restartMs = 100;
const restartMsMax = 10_000;
/** The same for a process that was killed: it did not fail by itself. */
const killedRestartMsMax = 1_000;
/** A run that stayed ready for so long starts the back-off anew. */
const steadyMs = 2_000;
/** So many runs in a row that ended by themselves before they were steady, and the service is given up. */
const failedStartsMax = 3;

/** Megabytes of each half of the young heap. Left to itself it grows with the machine, to memory that buys no speed. */
const youngMbMax = 16;
/**
 * Every thread that collects garbage beside the service takes the time of another service, on cores that are all busy, and
 * more of it than its help is worth: a quarter of all CPU seconds (`npm run bench -- spine`). Heaps are small enough to be
 * collected within tens of milliseconds.
 */
const collectorFlag = '--single-threaded-gc';

/** One run of the process, from its start to its end. */
interface Run {
  readonly owner: string;
  readonly child: ChildProcess;
  readyAtMs: number | undefined;
  /** Why it ends, as it said itself, and whether that may pass: what it needs does not answer. */
  reason?: string;
  mayPass?: boolean;
  failedAtMs?: number;
}

/** One service as a child process: started, watched, started anew when it ends, until it is stopped. */
export class ServiceProcess {
  readonly definition: ServiceDefinition;
  readonly #options: ServiceOptions;
  #run: Run | undefined;
  #lastAliveMs = 0;
  #lastWatchMs: number;
  #runs = 0;
  #failures = 0;
  #failedStarts = 0;
  #stopping = false;
  readonly #ready = Promise.withResolvers<undefined>();
  readonly #ended = Promise.withResolvers<undefined>();
  readonly #givenUp = Promise.withResolvers<never>();
  readonly #watch: NodeJS.Timeout;

  constructor(definition: ServiceDefinition, options: ServiceOptions) {
    this.definition = definition;
    this.#options = options;
    this.#lastWatchMs = options.clock.nowMs();
    // Whoever waits is told; nobody may wait.
    this.#ready.promise.catch(() => undefined);
    this.#givenUp.promise.catch(() => undefined);
    this.#watch = setInterval(() => {
      this.#check();
    }, watchEveryMs);
    this.#start();
  }

  get pid(): number | undefined {
    return this.#run?.child.pid;
  }

  get restarts(): number {
    return this.#runs - 1;
  }

  /** Why it is not alive; undefined when it is: it runs, and said lately that its work moves. */
  get notLive(): string | undefined {
    const { name } = this.definition;
    if (this.#run?.readyAtMs === undefined) {
      return `${name} is starting`;
    }
    const { clock, silenceMsMax } = this.#options;
    const silentMs = clock.nowMs() - this.#lastAliveMs;
    return silentMs > silenceMsMax * lateShare ? `${name} is stuck for ${Math.round(silentMs / 1_000)} s` : undefined;
  }

  /**
   * Resolves when a run of the process has said that it is ready; killed ones are started again. Rejects with
   * {@link ServiceStartError} when the first one ended by itself.
   */
  async ready(): Promise<void> {
    await this.#ready.promise;
  }

  /** Rejects with {@link ServiceStartError} when it was ready once and is not started any more; never resolves. */
  get givenUp(): Promise<never> {
    return this.#givenUp.promise;
  }

  /** Asks the process to drain, kills it at the deadline, resolves when it has ended. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#watch);
    const child = this.#run?.child;
    if (child === undefined) {
      return;
    }
    child.kill('SIGTERM');
    const killer = setTimeout(() => {
      this.#options.logger.warn('did not drain in time; killed', { service: this.definition.name, deadlineMs });
      killGroup(child);
    }, deadlineMs);
    await this.#ended.promise;
    clearTimeout(killer);
  }

  #start(): void {
    this.#runs += 1;
    // Never a name that was used before, also where every server has the same process id, as in a container.
    const owner = `${this.definition.name}.${this.#runs}.${randomBytes(6).toString('hex')}`;
    const child = fork(this.definition.entry, [], {
      execArgv: [...process.execArgv, `--max-semi-space-size=${youngMbMax}`, collectorFlag],
      env: { ...this.definition.env, METERFLOW_OWNER: owner },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // The leader of a group, so that what it started itself ends with it, also what can't notice its end.
      detached: hasGroups,
    });
    const run: Run = { owner, child, readyAtMs: undefined };
    this.#run = run;
    this.#lastAliveMs = this.#options.clock.nowMs();
    child.on('message', (message: ServiceMessage) => {
      this.#heard(run, message);
    });
    child.on('error', (error) => {
      this.#options.logger.error('service failed', { service: this.definition.name, error: error.message });
      if (child.pid === undefined) {
        this.#exited(run, { code: null, signal: null });
      }
    });
    child.on('exit', (code, signal) => {
      this.#exited(run, { code, signal });
    });
  }

  #heard(run: Run, message: ServiceMessage): void {
    const nowMs = this.#options.clock.nowMs();
    if (message.type === 'failed') {
      run.reason = message.reason;
      run.mayPass = message.mayPass === true;
      run.failedAtMs = nowMs;
      return;
    }
    if (message.type === 'ready') {
      run.readyAtMs = nowMs;
      this.#ready.resolve(undefined);
    }
    if (message.type === 'ready' || !message.stuck) {
      this.#lastAliveMs = nowMs;
    }
  }

  #exited(run: Run, end: { readonly code: number | null; readonly signal: string | null }): void {
    if (this.#run !== run) {
      return;
    }
    this.#run = undefined;
    killGroup(run.child);
    const { name } = this.definition;
    const { clock, logger } = this.#options;
    const comeAgain = this.#giveBack(run.owner);
    if (this.#stopping) {
      this.#ended.resolve(undefined);
      return;
    }
    // Its drain after a failure is no proof of health.
    const steady = run.readyAtMs !== undefined && (run.failedAtMs ?? clock.nowMs()) - run.readyAtMs > steadyMs;
    this.#failedStarts = steady ? 0 : this.#failedStarts + (hasFailed(run, end.code) ? 1 : 0);
    if (this.#isHopeless(run, end.code)) {
      this.#giveUp(run, end.code);
      return;
    }
    this.#failures = steady ? 0 : this.#failures + 1;
    const waitMs = Math.min(
      end.signal === 'SIGKILL' ? killedRestartMsMax : restartMsMax,
      restartMs * 2 ** Math.max(0, this.#failures - 1),
    );
    logger.warn('service ended; it is started again', { service: name, ...end, comeAgain, waitMs });
    setTimeout(() => {
      if (!this.#stopping) {
        this.#start();
      }
    }, waitMs).unref();
  }

  #isHopeless(run: Run, code: number | null): boolean {
    const failedAtOnce = this.#runs === 1 && run.readyAtMs === undefined && hasFailed(run, code);
    return failedAtOnce || this.#failedStarts >= failedStartsMax;
  }

  #giveUp(run: Run, code: number | null): void {
    const { name } = this.definition;
    this.#stopping = true;
    clearInterval(this.#watch);
    this.#ended.resolve(undefined);
    const unsaid = `it ended with exit code ${code} ${run.readyAtMs === undefined ? 'before' : 'just after'} it was ready; standard error says why`;
    const times = this.#failedStarts > 1 ? ` (tried ${this.#failedStarts} times)` : '';
    const error = new ServiceStartError(`${name} can't start: ${run.reason ?? unsaid}${times}`);
    this.#ready.reject(error);
    this.#givenUp.reject(error);
  }

  #giveBack(owner: string): number | undefined {
    try {
      return this.#options.onEnd(owner);
    } catch (error) {
      const fields = { service: this.definition.name, error: String(error) };
      this.#options.logger.warn('what an ended service held comes again only when its leases run out', fields);
      return undefined;
    }
  }

  #check(): void {
    const nowMs = this.#options.clock.nowMs();
    const missedMs = nowMs - this.#lastWatchMs - watchEveryMs;
    this.#lastWatchMs = nowMs;
    // While this process itself did not run (a suspended machine, a stopped job) it heard nobody.
    this.#lastAliveMs += Math.max(0, Math.min(missedMs, nowMs - this.#lastAliveMs));
    const silentMs = nowMs - this.#lastAliveMs;
    const silenceMsMax = this.#run?.readyAtMs === undefined ? startMsMax : this.#options.silenceMsMax;
    if (this.#run !== undefined && silentMs > silenceMsMax) {
      this.#options.logger.warn('service is stuck; killed', { service: this.definition.name, silentMs });
      killGroup(this.#run.child);
    }
  }
}

/** It ended by itself, over something that does not pass. A killed process did not fail. */
function hasFailed({ mayPass }: Run, code: number | null): boolean {
  return (code ?? 0) !== 0 && mayPass !== true;
}

const hasGroups = process.platform !== 'win32';

/** SIGKILL to a service and all that it started, or to what is left of that. */
function killGroup(child: ChildProcess): void {
  if (!hasGroups || child.pid === undefined) {
    child.kill('SIGKILL');
    return;
  }
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nothing is left of it.
  }
}
