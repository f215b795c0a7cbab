import { stageLimits, type StageLimits } from '@meterflow/stage';
import { CrashingProcess } from './crashing-process.ts';
import type { FaultKind } from './fault.ts';
import { guardedPorts } from './guarded-ports.ts';
import { Handlings, type Allowances } from './handlings.ts';
import type { PlantedBug } from './planted-bug.ts';
import { seededRandom, wholeNumber } from './random.ts';
import { compaction, stages, type Door } from './stages.ts';
import type { CrashWorld } from './world.ts';

export interface SupervisorOptions {
  readonly world: CrashWorld;
  readonly seed: number;
  readonly bug: PlantedBug | undefined;
  /** Whether closed days are compacted meanwhile. */
  readonly compacts: boolean;
  readonly nextEffect: (stage: string, owner: string, name: string) => FaultKind | undefined;
}

const restartMs = 150;

/** Keeps one or two processes of each stage running, whatever they die of. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #limits: StageLimits;
  /** All that ever were. */
  readonly #processes: CrashingProcess[] = [];
  readonly #doors = new Set<Door>();
  readonly #handlings = new Handlings();
  /** How often each place's process came to an end. */
  readonly #ends = new Map<string, number>();
  readonly #failed = Promise.withResolvers<never>();
  #runs = 0;
  #stopped = false;
  #restFromMs = 0;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const random = seededRandom('limits', options.seed);
    this.#limits = {
      ...stageLimits,
      groupMessagesMax: wholeNumber(random, 1, 4),
      coalesceMs: wholeNumber(random, 0, 1) * 5,
      backOffMsMax: 400,
    };
    // Whoever waits is told; nobody else must be.
    this.#failed.promise.catch(() => undefined);
  }

  /** Rejects when a process fails in a way that no supervisor would have it fail. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  start(): void {
    const random = seededRandom('instances', this.#options.seed);
    for (const stage of Object.keys(stages).filter((name) => this.#options.compacts || name !== compaction)) {
      const instances = random() < 0.2 ? 1 : 2;
      for (let instance = 0; instance < instances; instance++) {
        this.#startProcess(stage, instance);
      }
    }
  }

  /** Called when the run is over and its end state is known. */
  stop(): void {
    this.#stopped = true;
    this.#processes.forEach((process) => {
      process.forget();
    });
  }

  /** Some ingest process that is up. */
  door(turn: number): Door | undefined {
    const open = [...this.#doors].filter(({ process }) => !process.dead && !process.signal.aborted);
    return open[turn % Math.max(1, open.length)];
  }

  /** True when no process stands still, or has just woken with something in hand. */
  get idle(): boolean {
    return this.#options.world.time.nowMs() >= this.#restFromMs;
  }

  /** Messages that were handled more often than what befell their stage allows for. */
  breaches(allowances: Allowances): readonly string[] {
    return this.#handlings.breaches(allowances);
  }

  #startProcess(stage: string, instance: number): void {
    const { world, seed, bug, nextEffect } = this.#options;
    const owner = `${stage}-${instance}.${++this.#runs}`;
    const stallMs = world.ackDeadlineMs * 2 + 500;
    const process = new CrashingProcess({
      time: world.time,
      // Not by the run's number: a process that is started again elsewhere must not change this one's turns.
      random: seededRandom('process', seed, stage, instance, this.#endsOf(stage, instance)),
      stallMs,
      nextEffect: (name) => {
        const fault = nextEffect(stage, owner, name);
        if (fault === 'stall') {
          this.#restFromMs = world.time.nowMs() + 2 * stallMs;
        }
        return fault;
      },
    });
    this.#processes.push(process);
    const guarded = guardedPorts(world.open(owner), process);
    const ports = bug?.ports?.(guarded) ?? guarded;
    const run = (stages[stage] as (typeof stages)[string])({
      process,
      ports,
      owner,
      limits: this.#limits,
      bug,
      watch: this.#handlings.watch(stage),
      onOpen: (door) => this.#doors.add(door),
    });
    const drained = run.then(
      () => undefined,
      (error: unknown) => {
        this.#failed.reject(error);
      },
    );
    void Promise.race([drained, process.ended]).then(() => {
      this.#restart(stage, instance, { owner, process });
    });
  }

  #endsOf(stage: string, instance: number): number {
    return this.#ends.get(`${stage} ${instance}`) ?? 0;
  }

  #restart(stage: string, instance: number, { owner, process }: { owner: string; process: CrashingProcess }): void {
    const { world } = this.#options;
    if (this.#stopped) {
      return;
    }
    this.#ends.set(`${stage} ${instance}`, this.#endsOf(stage, instance) + 1);
    if (process.dead) {
      this.#handlings.died(stage);
    }
    this.#doors.forEach((door) => {
      if (door.process === process) {
        this.#doors.delete(door);
      }
    });
    world.time.after(restartMs, async () => {
      await world.drop(owner);
      this.#startProcess(stage, instance);
    });
  }
}
