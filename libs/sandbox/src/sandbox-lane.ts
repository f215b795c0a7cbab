import type { ChildEnd, ChildEvents, SandboxChild } from './sandbox-child.ts';
import { daysToSend } from './days-to-send.ts';
import { defineFrame, forgetFrame, runFrame } from './request.ts';
import { FrameMemory } from './frame-memory.ts';
import type { FrameReader } from './frame.ts';
import { word } from './frame.ts';
import { replyKind } from './reply.ts';
import type { RunJob } from './run-job.ts';
import { resendsMax, type SandboxLimits } from './limits.ts';
import { Watchdog } from './watchdog.ts';

export interface LaneOptions {
  readonly limits: SandboxLimits;
  /** A lane for one suspect batch: its child says before each step that it begins. */
  readonly traced: boolean;
  readonly start: (events: ChildEvents) => SandboxChild;
  /** The child is ready for its first batch. */
  readonly started: (child: SandboxChild) => void;
  /** The next job for this lane, or undefined. */
  readonly next: () => RunJob | undefined;
  /** Says what became of the first job in flight; `step` notices come before that. */
  readonly answered: (job: RunJob, frame: FrameReader) => void;
  /** The child is gone; `jobs` had no answer yet, the first of them was being run. `served`: it had been ready. */
  readonly ended: (end: ChildEnd, jobs: readonly RunJob[], served: boolean) => void;
}

/** What a child holds an isolate for. */
interface KnownFlow {
  readonly number: number;
  readonly tenant: string;
  named: boolean;
}

/**
 * Feeds one child: keeps a few batches ahead of its answers, which come in the order of the requests, and watches the
 * first of them. Lives as long as its child.
 */
export class SandboxLane {
  readonly #options: LaneOptions;
  readonly #child: SandboxChild;
  readonly #watchdog: Watchdog;
  readonly #inFlight: RunJob[] = [];
  readonly #memory = new FrameMemory();
  readonly #allocate = (bytes: number): ArrayBuffer => this.#memory.take(bytes);
  /** What the child knows, in the order of use as there; what it has let go is let go here too. */
  readonly #flows = new Map<string, KnownFlow>();
  #flowsDefined = 0;
  readonly #starting: NodeJS.Timeout;
  #ready = false;
  #ended = false;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#child = options.start({
      ready: () => {
        clearTimeout(this.#starting);
        this.#ready = true;
        options.started(this.#child);
        this.pump();
      },
      reply: (frame) => {
        this.#reply(frame);
      },
      end: (end) => {
        this.#end(end);
      },
    });
    this.#watchdog = new Watchdog(this.#child, options.limits, () => this.#inFlight[0]?.id);
    // Before it is ready nothing is sent to it, and so the watchdog has nothing to watch.
    this.#starting = setTimeout(() => {
      this.#child.kill('timed-out');
    }, options.limits.startWallMsMax);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Sends what there is room for. */
  pump(): void {
    const { limits, next } = this.#options;
    while (this.#ready && !this.#ended && this.#inFlight.length < limits.batchesAheadMax) {
      const job = next();
      if (job === undefined) {
        break;
      }
      job.resends = 0;
      this.#send(job);
    }
    this.#watchdog.watch(this.#inFlight.length > 0);
  }

  /** Kills the child; resolves when it is gone. */
  async close(): Promise<void> {
    this.#child.kill('closed');
    await this.#child.gone();
  }

  #send(job: RunJob): void {
    this.#inFlight.push(job);
    const { number, named } = this.#known(job);
    const { id, flow, batch, days } = job;
    const options = { job: id, flow: number, named, traced: this.#options.traced };
    const frame = runFrame(
      batch,
      days === undefined ? options : { ...options, day: daysToSend(flow, days) },
      this.#allocate,
    );
    this.#child.send(frame, () => {
      this.#memory.give(frame.buffer);
    });
  }

  #known(job: RunJob): KnownFlow {
    const flows = this.#flows;
    const known = flows.get(job.flowKey) ?? this.#define(job);
    flows.delete(job.flowKey);
    flows.set(job.flowKey, known);
    const [oldest] = flows.keys();
    if (flows.size > this.#options.limits.isolatesMax && oldest !== undefined) {
      flows.delete(oldest);
    }
    return known;
  }

  #define({ flow, batch: { tenant } }: RunJob): KnownFlow {
    this.#makeRoom(tenant);
    const number = ++this.#flowsDefined;
    const steps = flow.steps.map(({ rule: { source, series }, parameters, channels, severity, share }) => ({
      ...{ source, parameters, channels, series, severity, share },
    }));
    this.#child.send(defineFrame(number, JSON.stringify(steps)));
    return { number, tenant, named: false };
  }

  /** For one more flow of the tenant: the one of its own unused for longest goes. */
  #makeRoom(tenant: string): void {
    const own = [...this.#flows].filter(([, known]) => known.tenant === tenant);
    const [oldest] = own;
    if (oldest !== undefined && own.length >= this.#options.limits.isolatesPerTenantMax) {
      const [key, { number }] = oldest;
      this.#flows.delete(key);
      this.#child.send(forgetFrame(number));
    }
  }

  #reply(frame: FrameReader): void {
    const job = this.#inFlight[0];
    if (job === undefined || job.id !== frame.header[word.job]) {
      this.#child.kill('broken');
      return;
    }
    const kind = frame.header[word.kind];
    if (kind === replyKind.step) {
      this.#options.answered(job, frame);
      return;
    }
    if (kind === replyKind.namesWanted || kind === replyKind.flowUnknown) {
      this.#resend(job, kind);
    } else {
      // Throws where the answer is nonsense: the job is then still in flight, and judged with its child.
      this.#options.answered(job, frame);
    }
    this.#inFlight.shift();
    this.pump();
  }

  #resend(job: RunJob, lacking: number): void {
    job.resends += 1;
    if (job.resends > resendsMax) {
      throw new RangeError('a child asks for the same again and again');
    }
    if (lacking === replyKind.namesWanted) {
      this.#known(job).named = true;
    } else {
      this.#flows.delete(job.flowKey);
    }
    this.#send(job);
  }

  #end(end: ChildEnd): void {
    this.#ended = true;
    clearTimeout(this.#starting);
    this.#watchdog.watch(false);
    this.#options.ended(end, this.#inFlight.splice(0), this.#ready);
  }
}
