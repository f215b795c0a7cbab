import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jobsToStart, type WorkersView } from './jobs-to-start.ts';

const target = { targetMessages: 100, jobsMax: 8 };
const view: WorkersView = {
  backlogMessages: 450,
  takenAtMs: 1_000,
  ackedMessages: 0,
  running: 0,
  lastIdleAtMs: undefined,
};

describe('Jobs are started', () => {
  test.each<[string, Partial<WorkersView>, number]>([
    ['one for each share of what waits', {}, 5],
    ['but for those that run', { running: 3 }, 2],
    ['never fewer than none', { running: 7 }, 0],
    ['no more than there may be', { backlogMessages: 1e9, running: 3 }, 5],
    ['not for what was acked since', { ackedMessages: 300 }, 2],
    ['not below none by acks that are counted twice', { ackedMessages: 1e9 }, 0],
    ['not by a metric from before a worker found nothing', { lastIdleAtMs: 1_000 }, 0],
    ['by one from after it', { lastIdleAtMs: 999 }, 5],
    ['not for nothing', { backlogMessages: 0 }, 0],
  ])('%s', (_, change, expected) => {
    expect(jobsToStart({ ...view, ...change }, target)).toBe(expected);
  });
});

interface World {
  /** Messages that arrive within each second. */
  readonly arrivals: readonly number[];
  readonly lagSeconds: number;
  readonly periodSeconds: number;
  readonly ratePerWorker: number;
  readonly startSeconds: number;
  readonly idleSeconds: number;
  /** How much of what was acked since the metric was taken is known. */
  readonly knownAcks: 'all' | 'none';
}

interface Worker {
  readonly readySecond: number;
  idleSinceSecond: number | undefined;
}

interface Started {
  readonly takenAtSecond: number;
  readonly lastIdleSecond: number | undefined;
  /** Messages that were really not acked, and Jobs with the new ones, when they were started. */
  readonly unacked: number;
  readonly jobs: number;
}

/** A stage of workers, second by second, with metrics as late as they are. */
class WorkersWorld {
  readonly started: Started[] = [];
  readonly #world: World;
  readonly #unackedAt: number[] = [];
  readonly #ackedAt: number[] = [];
  #workers: Worker[] = [];
  #unacked = 0;
  #acked = 0;
  #lastIdleSecond: number | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  /** Whether all was acked, and every worker gone, when it had time for it. */
  run(): boolean {
    const secondsMax = 40_000;
    for (let second = 0; second < secondsMax; second += 1) {
      this.#unacked += this.#world.arrivals[second] ?? 0;
      this.#work(second);
      this.#unackedAt.push(this.#unacked);
      this.#ackedAt.push(this.#acked);
      if (second % this.#world.periodSeconds === 0) {
        this.#scale(second);
      }
      if (second > this.#world.arrivals.length && this.#unacked === 0 && this.#workers.length === 0) {
        return true;
      }
    }
    return false;
  }

  #work(second: number): void {
    for (const worker of this.#workers.filter(({ readySecond }) => readySecond <= second)) {
      const acked = Math.min(this.#unacked, this.#world.ratePerWorker);
      this.#unacked -= acked;
      this.#acked += acked;
      worker.idleSinceSecond = acked > 0 ? undefined : (worker.idleSinceSecond ?? second);
    }
    const isIdle = ({ idleSinceSecond = second }: Worker): boolean =>
      second - idleSinceSecond >= this.#world.idleSeconds;
    if (this.#workers.some(isIdle)) {
      this.#lastIdleSecond = second;
    }
    this.#workers = this.#workers.filter((worker) => !isIdle(worker));
  }

  #scale(second: number): void {
    const takenAtSecond = second - this.#world.lagSeconds;
    const acked = this.#acked - (this.#ackedAt[takenAtSecond] ?? 0);
    const count = jobsToStart(
      {
        backlogMessages: this.#unackedAt[takenAtSecond] ?? 0,
        takenAtMs: takenAtSecond * 1_000,
        ackedMessages: this.#world.knownAcks === 'all' ? acked : 0,
        running: this.#workers.length,
        lastIdleAtMs: this.#lastIdleSecond === undefined ? undefined : this.#lastIdleSecond * 1_000,
      },
      target,
    );
    for (let i = 0; i < count; i += 1) {
      this.#workers.push({ readySecond: second + this.#world.startSeconds, idleSinceSecond: undefined });
    }
    if (count > 0) {
      const { length: jobs } = this.#workers;
      this.started.push({ takenAtSecond, lastIdleSecond: this.#lastIdleSecond, unacked: this.#unacked, jobs });
    }
  }
}

const world = fc.record<World>({
  arrivals: fc
    .array(fc.tuple(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 0, max: 3_000 })), { maxLength: 6 })
    .map((bursts) => bursts.flatMap(([seconds, amount]) => [amount, ...Array<number>(seconds).fill(0)])),
  lagSeconds: fc.constantFrom(0, 15, 60, 180),
  periodSeconds: fc.constantFrom(1, 10, 15),
  ratePerWorker: fc.constantFrom(1, 7, 50, 1_000),
  startSeconds: fc.constantFrom(0, 5, 40),
  idleSeconds: fc.constantFrom(5, 60, 300),
  knownAcks: fc.constantFrom('all', 'none'),
});

describe('with metrics as late as 180 s', () => {
  test('everything is done in the end, and then nobody is left', () => {
    fc.assert(fc.property(world, (each) => new WorkersWorld(each).run()));
  });

  test('there are never more Jobs than what really waits asks for: none is a phantom', () => {
    fc.assert(
      fc.property(world, (each) => {
        const run = new WorkersWorld({ ...each, knownAcks: 'all' });
        run.run();
        for (const { unacked, jobs } of run.started) {
          expect(jobs).toBeLessThanOrEqual(Math.min(target.jobsMax, Math.ceil(unacked / target.targetMessages)));
        }
      }),
    );
  });

  test('also where no ack is known, no metric from before a worker found nothing starts another', () => {
    fc.assert(
      fc.property(world, (each) => {
        const run = new WorkersWorld({ ...each, knownAcks: 'none' });
        run.run();
        for (const { takenAtSecond, lastIdleSecond = -1 } of run.started) {
          expect(takenAtSecond).toBeGreaterThan(lastIdleSecond);
        }
      }),
    );
  });
});
