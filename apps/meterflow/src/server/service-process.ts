import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Clock, Logger } from '@meterflow/stage';

/** What a service tells its supervisor: it is ready, or can't be; then, every second, whether its work moves. */
export type ServiceMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly reason: string }
  | { readonly type: 'alive'; readonly stuck: boolean };

/** Thrown when a service ended by itself before it was ever ready: starting it again would end no better. */
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

/** Megabytes of each half of the young heap. Left to itself it grows with the machine, to memory that buys no speed. */
const youngMbMax = 16;

/** One run of the process, from its start to its end. */
interface Run {
  readonly owner: string;
  readonly child: ChildProcess;
  readyAtMs: number | undefined;
  /** Why it ends, as it said itself. */
  reason?: string;
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
  #stopping = false;
  readonly #ready = Promise.withResolvers<undefined>();
  readonly #ended = Promise.withResolvers<undefined>();
  readonly #watch: NodeJS.Timeout;

  constructor(definition: ServiceDefinition, options: ServiceOptions) {
    this.definition = definition;
    this.#options = options;
    this.#lastWatchMs = options.clock.nowMs();
    // Whoever waits is told; nobody may wait.
    this.#ready.promise.catch(() => undefined);
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
      child.kill('SIGKILL');
    }, deadlineMs);
    await this.#ended.promise;
    clearTimeout(killer);
  }

  #start(): void {
    this.#runs += 1;
    // Never a name that was used before, also where every server has the same process id, as in a container.
    const owner = `${this.definition.name}.${this.#runs}.${randomBytes(6).toString('hex')}`;
    const child = fork(this.definition.entry, [], {
      execArgv: [...process.execArgv, `--max-semi-space-size=${youngMbMax}`],
      env: { ...this.definition.env, METERFLOW_OWNER: owner },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
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
    const { name } = this.definition;
    const { clock, logger } = this.#options;
    const comeAgain = this.#giveBack(run.owner);
    if (this.#stopping) {
      this.#ended.resolve(undefined);
      return;
    }
    if (this.#runs === 1 && run.readyAtMs === undefined && (end.code ?? 0) !== 0) {
      this.#stopping = true;
      clearInterval(this.#watch);
      const unsaid = `it ended with exit code ${end.code} before it was ready; standard error says why`;
      this.#ready.reject(new ServiceStartError(`${name} can't start: ${run.reason ?? unsaid}`));
      return;
    }
    const steady = run.readyAtMs !== undefined && clock.nowMs() - run.readyAtMs > steadyMs;
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
      this.#run.child.kill('SIGKILL');
    }
  }
}
