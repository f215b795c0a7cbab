import { stageLimits, type StageLimits } from '@meterflow/stage';
import { CrashingProcess } from './crashing-process.ts';
import type { FaultKind } from './fault.ts';
import { guardedPorts } from './guarded-ports.ts';
import { Handlings, type Allowances } from './handlings.ts';
import type { PlantedBug } from './planted-bug.ts';
import { seededRandom, wholeNumber } from './random.ts';
import type { Desk, Surroundings } from './control-process.ts';
import { compaction, control, stages, type Door } from './stages.ts';
import type { Workload } from './workload.ts';
import type { CrashPorts, CrashWorld } from './world.ts';

export interface SupervisorOptions {
  readonly world: CrashWorld;
  readonly seed: number;
  readonly bug: PlantedBug | undefined;
  /** Whether closed days are compacted, and rules activated, meanwhile. */
  readonly workload: Pick<Workload, 'compacts' | 'controls'>;
  readonly surroundings: Surroundings;
  /** Stands between what a process is given and the world, and sees what comes to pass. */
  readonly overhear: (ports: CrashPorts) => CrashPorts;
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
  readonly #desks = new Set<Desk>();
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
    const { compacts, controls } = this.#options.workload;
    const left = new Set([...(compacts ? [] : [compaction]), ...(controls ? [] : [control])]);
    for (const stage of Object.keys(stages).filter((name) => !left.has(name))) {
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
    return oneUp(this.#doors, turn);
  }

  /** Some control process that is up. */
  desk(turn: number): Desk | undefined {
    return oneUp(this.#desks, turn);
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
    const { world, seed, bug, nextEffect, surroundings, overhear } = this.#options;
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
    const guarded = guardedPorts(overhear(world.open(owner)), process);
    const ports = bug?.ports?.(guarded, stage) ?? guarded;
    const run = (stages[stage] as (typeof stages)[string])({
      process,
      ports,
      owner,
      limits: this.#limits,
      bug,
      watch: this.#handlings.watch(stage),
      surroundings,
      onOpen: (door) => this.#doors.add(door),
      onDesk: (desk) => this.#desks.add(desk),
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
    forgetAll(this.#doors, process);
    forgetAll(this.#desks, process);
    world.time.after(restartMs, async () => {
      await world.drop(owner);
      this.#startProcess(stage, instance);
    });
  }
}

/** What customers and senders find of a process. */
interface Reached {
  readonly process: CrashingProcess;
}

function oneUp<Open extends Reached>(all: ReadonlySet<Open>, turn: number): Open | undefined {
  const open = [...all].filter(({ process }) => !process.dead && !process.signal.aborted);
  return open[turn % Math.max(1, open.length)];
}

function forgetAll(all: Set<Reached>, process: CrashingProcess): void {
  all.forEach((reached) => {
    if (reached.process === process) {
      all.delete(reached);
    }
  });
}
