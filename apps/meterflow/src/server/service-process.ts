import { fork, type ChildProcess } from 'node:child_process';
import type { Clock, Logger } from '@meterflow/stage';

/** What a service tells its supervisor: it is ready once; then, every second, whether its work moves. */
export type ServiceMessage = { readonly type: 'ready' } | { readonly type: 'alive'; readonly stuck: boolean };

export interface ServiceDefinition {
  readonly name: string;
  /** The module that is its process. */
  readonly entry: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface ServiceOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told the owner of the leases that an ended run held, so that its messages come again at once. */
  readonly onEnd: (owner: string) => void;
}

/** A process that says nothing, or says that it is stuck, for so long is ended and started anew. */
export const silenceMsMax = 15_000;
const watchEveryMs = 1_000;
const restartMs = 100;
const restartMsMax = 10_000;
/** A run that lasted so long starts the back-off anew. */
const steadyMs = 30_000;

/** One service as a child process: started, watched, started anew when it ends, until it is stopped. */
export class ServiceProcess {
  readonly definition: ServiceDefinition;
  readonly #options: ServiceOptions;
  #child: ChildProcess | undefined;
  #lastAliveMs = 0;
  #runs = 0;
  #failures = 0;
  #stopping = false;
  #ready = Promise.withResolvers<undefined>();
  readonly #ended = Promise.withResolvers<undefined>();
  readonly #watch: NodeJS.Timeout;

  constructor(definition: ServiceDefinition, options: ServiceOptions) {
    this.definition = definition;
    this.#options = options;
    this.#watch = setInterval(() => {
      this.#check();
    }, watchEveryMs);
    this.#start();
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get restarts(): number {
    return this.#runs - 1;
  }

  /** Resolves when the running process has said that it is ready. */
  async ready(): Promise<void> {
    await this.#ready.promise;
  }

  /** Asks the process to drain, kills it at the deadline, resolves when it has ended. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#watch);
    const child = this.#child;
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
    const { clock } = this.#options;
    const startedMs = clock.nowMs();
    this.#runs += 1;
    const owner = `${this.definition.name}.${process.pid}.${this.#runs}`;
    const child = fork(this.definition.entry, [], {
      env: { ...this.definition.env, METERFLOW_OWNER: owner },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    this.#lastAliveMs = startedMs;
    child.on('message', (message: ServiceMessage) => {
      this.#heard(message);
    });
    child.on('error', (error) => {
      this.#options.logger.error('service failed to start', { service: this.definition.name, error: error.message });
    });
    child.on('exit', (code, signal) => {
      this.#exited({ owner, startedMs, code, signal });
    });
  }

  #heard(message: ServiceMessage): void {
    if (message.type === 'ready') {
      this.#ready.resolve(undefined);
    }
    if (message.type === 'ready' || !message.stuck) {
      this.#lastAliveMs = this.#options.clock.nowMs();
    }
  }

  #exited(run: { owner: string; startedMs: number; code: number | null; signal: string | null }): void {
    this.#child = undefined;
    this.#options.onEnd(run.owner);
    if (this.#stopping) {
      this.#ended.resolve(undefined);
      return;
    }
    const { name } = this.definition;
    this.#failures = this.#options.clock.nowMs() - run.startedMs > steadyMs ? 0 : this.#failures + 1;
    const waitMs = Math.min(restartMsMax, restartMs * 2 ** Math.max(0, this.#failures - 1));
    const { code, signal } = run;
    this.#options.logger.warn('service ended; it is started again', { service: name, code, signal, waitMs });
    this.#ready = Promise.withResolvers();
    setTimeout(() => {
      if (!this.#stopping) {
        this.#start();
      }
    }, waitMs).unref();
  }

  #check(): void {
    const silentMs = this.#options.clock.nowMs() - this.#lastAliveMs;
    if (this.#child !== undefined && silentMs > silenceMsMax) {
      this.#options.logger.warn('service is stuck; killed', { service: this.definition.name, silentMs });
      this.#child.kill('SIGKILL');
    }
  }
}
