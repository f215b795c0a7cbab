import { readingsPerBatchMax, type ReadingBatch } from '@meterflow/readings';
import {
  nothingEmitted,
  resultOfDay,
  RuleFailureError,
  unchangedResult,
  type DayResult,
  type Flow,
  type FlowResult,
  type Sandbox,
  type SeriesRun,
} from '@meterflow/rules';
import { checkedStep } from './checked-result.ts';
import { DayPace } from './day-pace.ts';
import { dayResults } from './day-results.ts';
import { checkSight } from './days-to-send.ts';
import { ChildHost } from './child-host.ts';
import { childProgram, defaultEntry, type ChildProgram } from './child-program.ts';
import type { Isolation } from './confinement.ts';
import { flowResults, stepFailure } from './flow-result.ts';
import { word, type FrameReader } from './frame.ts';
import { sandboxLimits, type SandboxLimits } from './limits.ts';
import { Quarantine } from './quarantine.ts';
import { cpuMsOf, readNotice, replyKind } from './reply.ts';
import { runPiece } from './run-piece.ts';
import type { RunJob } from './run-job.ts';
import type { ChildEnd } from './sandbox-child.ts';
import { SandboxUnavailableError } from './sandbox-error.ts';
import { SandboxLane, type LaneOptions } from './sandbox-lane.ts';
import { SocketChild } from './socket-child.ts';
import { verdictOn } from './verdict.ts';
import { WaitingRuns } from './waiting-runs.ts';

export interface IsolatedSandboxOptions {
  readonly limits?: Partial<SandboxLimits>;
  /** The file that a child runs; found by itself beside this one: `child.ts` in the sources, `sandbox-child.js` bundled. */
  readonly childEntry?: string;
  /** The Unix socket of a server of children (`serveChildren`), in a container of its own; absent: processes of this one. */
  readonly socketPath?: string | undefined;
  /** Told of each child that ended without being asked to, and of each rule version that was put in quarantine. */
  readonly onIncident?: (incident: SandboxIncident) => void;
  /** Told once, when the first child is there, what the kernel keeps from children; undefined where it does not say. */
  readonly onIsolation?: (isolation: Isolation | undefined) => void;
}

export interface SandboxIncident {
  readonly kind: 'child-ended' | 'rule-quarantined';
  readonly message: string;
}

/** Wait before a child is started again after one that did not start; doubled each time, up to the greatest. */
const startWaitMs = 50;
const startWaitMsMax = 5_000;

/**
 * Runs flows in isolates inside child processes. A batch whose child dies is run once more, alone, in a child of its
 * own that says which step it is in: so the guilty version is known, and a child that was killed from outside harms no
 * innocent rule. Batches of others that were in flight go to the next child.
 *
 * run ─▶ waiting (tenants in turn) ─▶ lane (one child, a few batches ahead) ─▶ result
 *                     └─ its child died ─▶ suspects ─▶ solo lane (traced) ─▶ result, or quarantine
 */
export class IsolatedSandbox implements Sandbox {
  readonly #limits: SandboxLimits;
  readonly #program: ChildProgram;
  readonly #socketPath: string | undefined;
  readonly #onIncident: (incident: SandboxIncident) => void;
  #onIsolation: IsolatedSandboxOptions['onIsolation'];
  readonly #quarantine = new Quarantine();
  readonly #pace = new DayPace();
  readonly #flowKeys = new WeakMap<Flow, string>();
  readonly #waiting: WaitingRuns;
  readonly #suspects: RunJob[] = [];
  readonly #lanes: SandboxLane[] = [];
  #solo: SandboxLane | undefined;
  #lastJob = 0;
  #startsFailed = 0;
  #closed = false;

  constructor(options: IsolatedSandboxOptions = {}) {
    this.#limits = { ...sandboxLimits, ...options.limits };
    this.#waiting = new WaitingRuns(this.#limits, ({ flowKey, days }) =>
      days === undefined ? undefined : this.#pace.cpuMsOf(flowKey, days.days.length),
    );
    this.#program = childProgram(options.childEntry ?? defaultEntry(), this.#limits);
    this.#onIncident = options.onIncident ?? (() => undefined);
    this.#onIsolation = options.onIsolation;
    this.#socketPath = options.socketPath;
    for (let index = 0; index < this.#limits.children; index++) {
      this.#lanes.push(this.#openLane(index));
    }
  }

  async run(flow: Flow, batch: ReadingBatch): Promise<FlowResult> {
    const [result] = await this.#queue(flow, batch);
    return resultOfDay([result as DayResult]);
  }

  /** As many days at a time as are cheap together; those that can't share a call, or whose child died, one by one. */
  async runSeries(flow: Flow, run: SeriesRun): Promise<readonly DayResult[]> {
    const flowKey = this.#flowKeyOf(flow, run.batch);
    const results: DayResult[] = [];
    while (results.length < run.days.length) {
      const from = results.length;
      const to = Math.min(run.days.length, from + this.#pace.daysTogether(flowKey));
      const together = await this.#runDays(flow, run, [from, to]);
      if (together !== 'apart') {
        results.push(...together);
        continue;
      }
      for (let day = from; day < to; day++) {
        const alone = await this.#runDays(flow, run, [day, day + 1]);
        results.push(...(alone === 'apart' ? [] : alone));
      }
    }
    return results;
  }

  /** The days [from, to) of a run in one call; what fails all of them is each one's failure. */
  async #runDays(
    flow: Flow,
    run: SeriesRun,
    [from, to]: readonly [number, number],
  ): Promise<readonly DayResult[] | 'apart'> {
    try {
      const piece = runPiece(run, from, to);
      checkSight(flow, piece);
      return await this.#queue(flow, piece.batch, piece);
    } catch (error) {
      if (error instanceof ApartError) {
        return 'apart';
      }
      if (error instanceof RuleFailureError) {
        return Array.from({ length: to - from }, () => error);
      }
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const closing = [...this.#lanes, this.#solo].flatMap((lane) => lane?.close() ?? []);
    this.#refuseAll('the sandbox is closed');
    await Promise.all(closing);
  }

  async #queue(flow: Flow, batch: ReadingBatch, days?: RunJob['days']): Promise<readonly DayResult[]> {
    const known = this.#quarantine.failureOf(batch.tenant, flow);
    if (known !== undefined) {
      throw known;
    }
    if (flow.steps.length === 0) {
      const whole = { ...unchangedResult(batch), emitted: nothingEmitted };
      return days === undefined ? [whole] : dayResults(days, whole, new Map());
    }
    if (batch.columns.values.length > readingsPerBatchMax) {
      throw new RangeError(`a batch holds at most ${readingsPerBatchMax} readings`);
    }
    const refusal = this.#closed ? 'the sandbox is closed' : this.#waiting.refusal(batch.tenant);
    if (refusal !== undefined) {
      throw new SandboxUnavailableError(refusal);
    }
    const { promise, resolve, reject } = Promise.withResolvers<readonly DayResult[]>();
    const flowKey = this.#flowKeyOf(flow, batch);
    const id = (this.#lastJob = (this.#lastJob + 1) % 2 ** 32);
    const rest = { unexplainedDeaths: 0, resends: 0, lastStep: -1, resolve, reject };
    this.#waiting.push({ id, flowKey, flow, batch, ...(days === undefined ? {} : { days }), ...rest });
    this.#pump();
    return promise;
  }

  /** Process ids of the children, for those who watch or kill them. */
  get childPids(): readonly number[] {
    return [...this.#lanes, this.#solo].flatMap((lane) => lane?.pid ?? []);
  }

  get quarantined(): readonly string[] {
    return this.#quarantine.versions;
  }

  /** Names the isolate: one for each tenant and flow. */
  #flowKeyOf(flow: Flow, { tenant }: ReadingBatch): string {
    return `${tenant} ${this.#keyOf(flow)}`;
  }

  #keyOf(flow: Flow): string {
    let key = this.#flowKeys.get(flow);
    if (key === undefined) {
      key = JSON.stringify(
        flow.steps.map(({ rule, parameters, channels, severity, share }) => [
          ...[rule.id, parameters, channels, severity, share],
        ]),
      );
      this.#flowKeys.set(flow, key);
    }
    return key;
  }

  #pump(): void {
    this.#lanes.forEach((lane) => {
      lane.pump();
    });
    this.#examine();
  }

  #openLane(index: number): SandboxLane {
    return this.#lane({
      traced: false,
      next: () => this.#next(this.#waiting),
      answered: (job, frame) => {
        this.#answered(job, frame);
        this.#waiting.finished(job.batch.tenant, cpuMsOf(frame));
      },
      ended: (end, jobs, served) => {
        this.#laneEnded(index, end, { jobs, served });
      },
    });
  }

  #lane(options: Pick<LaneOptions, 'traced' | 'next' | 'answered' | 'ended'>): SandboxLane {
    return new SandboxLane({
      ...options,
      limits: this.#limits,
      start: (events) =>
        this.#socketPath === undefined
          ? new ChildHost(this.#program, events)
          : new SocketChild(this.#socketPath, this.#program.settings, events),
      started: (child) => {
        this.#onIsolation?.(child.isolation());
        this.#onIsolation = undefined;
      },
    });
  }

  /** The next job that is not in quarantine meanwhile. */
  #next(jobs: Pick<WaitingRuns, 'shift'> & Partial<Pick<WaitingRuns, 'finished'>>): RunJob | undefined {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      const failure = this.#quarantine.failureOf(job.batch.tenant, job.flow);
      if (failure === undefined) {
        return job;
      }
      job.reject(failure);
      jobs.finished?.(job.batch.tenant, 0);
    }
    return undefined;
  }

  #answered(job: RunJob, frame: FrameReader): void {
    const kind = frame.header[word.kind];
    if (kind === replyKind.result) {
      if (job.days !== undefined) {
        this.#pace.took(job.flowKey, job.days.days.length, cpuMsOf(frame));
      }
      job.resolve(flowResults(job, frame));
    } else if (kind === replyKind.apart && isTogether(job)) {
      job.reject(new ApartError());
    } else if (kind === replyKind.failed) {
      job.reject(stepFailure(job, readNotice(frame)));
    } else if (kind === replyKind.step) {
      job.lastStep = checkedStep(Number(readNotice(frame)), job.flow);
    } else {
      throw new RangeError(`a child answered with a frame of kind ${kind ?? 0}`);
    }
  }

  #laneEnded(index: number, end: ChildEnd, left: { readonly jobs: readonly RunJob[]; readonly served: boolean }): void {
    if (this.#closed) {
      left.jobs.forEach((job) => {
        job.reject(new SandboxUnavailableError('the sandbox is closed'));
      });
      return;
    }
    this.#report(end);
    this.#startsFailed = left.served ? 0 : this.#startsFailed + 1;
    if (this.#startsFailed >= this.#limits.startAttemptsMax) {
      this.#refuseAll(`a child can't be started: ${end.stderr}`);
    }
    left.jobs.forEach(({ batch }, index) => {
      // The first of them had the child to itself until it died.
      this.#waiting.finished(batch.tenant, index === 0 ? this.#limits.batchCpuMsMax : 0);
    });
    const [suspect, ...innocent] = left.jobs;
    if (suspect !== undefined && isTogether(suspect)) {
      // What days take together says nothing about a rule: each comes again alone.
      suspect.reject(new ApartError());
    } else if (suspect !== undefined) {
      this.#suspects.push(suspect);
    }
    this.#waiting.putBack(innocent);
    this.#reopen(index);
    this.#examine();
  }

  /** At once, but ever more slowly where children do not even start. */
  #reopen(index: number): void {
    const waitMs = this.#startsFailed === 0 ? 0 : Math.min(startWaitMsMax, startWaitMs * 2 ** this.#startsFailed);
    const open = (): void => {
      if (!this.#closed) {
        this.#lanes[index] = this.#openLane(index);
      }
    };
    if (waitMs === 0) {
      open();
    } else {
      setTimeout(open, waitMs);
    }
  }

  /** Runs the first suspect alone in a child of its own; one at a time. */
  #examine(): void {
    if (this.#closed || this.#solo !== undefined) {
      return;
    }
    const job = this.#next(this.#suspects);
    if (job === undefined) {
      return;
    }
    const pending = [job];
    job.lastStep = -1;
    this.#solo = this.#lane({
      traced: true,
      next: () => pending.shift(),
      answered: (answeredJob, frame) => {
        this.#answered(answeredJob, frame);
      },
      ended: (end, jobs) => {
        this.#solo = undefined;
        if (jobs.length + pending.length > 0) {
          this.#judge(job, end);
        }
        this.#examine();
      },
    });
    const settled = (): void => void this.#solo?.close();
    const { resolve, reject } = job;
    job.resolve = (result) => {
      resolve(result);
      settled();
    };
    job.reject = (error) => {
      reject(error);
      settled();
    };
  }

  #judge(job: RunJob, end: ChildEnd): void {
    if (this.#closed) {
      job.reject(new SandboxUnavailableError('the sandbox is closed'));
      return;
    }
    const verdict = verdictOn(end);
    job.unexplainedDeaths += 1;
    if (verdict === undefined && job.unexplainedDeaths < this.#limits.unexplainedDeathsMax) {
      this.#suspects.push(job);
      return;
    }
    const step = job.flow.steps[job.lastStep];
    if (step === undefined) {
      // It never came as far as a rule: that is no rule's doing.
      job.reject(new SandboxUnavailableError(`a child ended before it ran anything: ${end.stderr}`));
      return;
    }
    const { code, detail } = verdict ?? { code: 'rule-killed-its-host', detail: 'its host died each time it ran' };
    const { tenant } = job.batch;
    const failure = this.#quarantine.add({ tenant, step, code, detail: `${detail}; it is in quarantine` });
    this.#onIncident({ kind: 'rule-quarantined', message: failure.message });
    job.reject(failure);
  }

  #report({ reason, exitCode, signal, stderr }: ChildEnd): void {
    const message = `a sandbox child ended: ${reason ?? signal ?? `exit ${exitCode ?? 'unknown'}`} ${stderr}`.trimEnd();
    this.#onIncident({ kind: 'child-ended', message });
  }

  #refuseAll(why: string): void {
    [...this.#waiting.clear(), ...this.#suspects.splice(0)].forEach((job) => {
      job.reject(new SandboxUnavailableError(why));
    });
  }
}

/** Days that ran together have to be run one by one. Never leaves this file. */
class ApartError extends Error {
  override readonly name = 'ApartError';
}

function isTogether({ days }: RunJob): boolean {
  return days !== undefined && days.days.length > 1;
}
