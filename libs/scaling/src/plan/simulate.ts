import type { LoadTrace } from './load-trace.ts';
import { PodPool, type PodTimes } from './pod-pool.ts';
import type { Scaler } from '../scalers/scaler.ts';
import { SubscriptionModel } from './subscription-model.ts';

/** The stage and the world around it. */
export interface PlanWorld extends PodTimes {
  /** Readings that one pod settles in a second: measured. */
  readonly readingsPerPodSecond: number;
  /** How often the metrics are sampled, and how late a sample is seen. Cloud Monitoring: 60 and up to 180. */
  readonly metricSampleSeconds: number;
  readonly metricLagSeconds: number;
  /** One pod is killed every so often; never when not given. What it held comes back after `ackDeadlineSeconds`. */
  readonly killEverySeconds?: number;
  readonly ackDeadlineSeconds: number;
  /** Seconds of work that a pod holds at a time. */
  readonly inFlightSeconds: number;
  readonly dollarsPerPodHour: number;
}

export interface PlanSample {
  readonly second: number;
  readonly backlog: number;
  readonly ageSeconds: number;
  readonly replicas: number;
  readonly readyReplicas: number;
}

export interface PlanOutcome {
  /** One every `sampleSeconds`, the last one included. */
  readonly samples: readonly PlanSample[];
  readonly worstAgeSeconds: number;
  /** The longest time in which nothing came and something was still left. */
  readonly tailSeconds: number;
  /** False where readings were left when the time was up. */
  readonly finished: boolean;
  readonly readings: number;
  readonly scaleEvents: number;
  /** Pods taken away and wanted back within `flapSeconds`. */
  readonly flaps: number;
  readonly podHours: number;
  readonly dollars: number;
}

interface SimulateOptions {
  readonly world: PlanWorld;
  readonly scaler: Scaler;
  readonly sampleSeconds?: number;
}

/** A scale-up within this time of a scale-down says that the pods were taken away too early. */
export const flapSeconds = 600;
/** How long after the last arrival the simulation looks on: a longer tail is not waited for. */
const secondsAfterTraceMax = 7 * 86_400;
/** How long an idle stage is looked at until its pods are as few as at the beginning. */
const calmSecondsMax = 3_600;
const sampleSecondsDefault = 15;
const secondsPerHour = 3_600;

/** One trace through one stage with one scaler, second by second. The same input gives the same outcome. */
export function simulate(
  trace: LoadTrace,
  { world, scaler, sampleSeconds = sampleSecondsDefault }: SimulateOptions,
): PlanOutcome {
  const run = new PlanRun(trace, world, scaler);
  const samples: PlanSample[] = [];
  let second = 0;
  for (; !run.ended(second); second += 1) {
    run.step(second);
    if (second % sampleSeconds === 0) {
      samples.push(run.sample(second));
    }
  }
  samples.push(run.sample(second));
  return { samples, ...run.outcome() };
}

class PlanRun {
  readonly #readings: Float64Array;
  readonly #world: PlanWorld;
  readonly #scaler: Scaler;
  readonly #subscription: SubscriptionModel;
  readonly #pods: PodPool;
  readonly #metrics: { readonly second: number; readonly backlog: number; readonly ageSeconds: number }[] = [];
  readonly #sinceAsked = { arrived: 0, settled: 0, capacity: 0 };
  #carriedCapacity = 0;
  #lastBusySecond = 0;
  #lastArrivalSecond = 0;
  #podSize = 1;
  #lastDownSecond = -Infinity;
  readonly #sums = {
    worstAgeSeconds: 0,
    tailSeconds: 0,
    readings: 0,
    scaleEvents: 0,
    flaps: 0,
    podSeconds: 0,
    sizedSeconds: 0,
  };

  constructor({ readings }: LoadTrace, world: PlanWorld, scaler: Scaler) {
    this.#readings = readings;
    this.#world = world;
    this.#scaler = scaler;
    this.#subscription = new SubscriptionModel(readings.length);
    this.#pods = new PodPool(scaler.replicasAtStart, world);
    this.#podSize = scaler.podSize?.() ?? 1;
  }

  /** Nothing is left, and the pods that were started for it are gone: they are a part of the price. */
  ended(second: number): boolean {
    const idleSeconds = second - 1 - Math.max(this.#lastBusySecond, this.#readings.length - 1);
    const calm = this.#pods.existing <= this.#scaler.replicasAtStart || idleSeconds > calmSecondsMax;
    const done = second >= this.#readings.length && this.#subscription.backlog === 0 && calm;
    return done || second >= this.#readings.length + secondsAfterTraceMax;
  }

  step(second: number): void {
    this.#pods.advance(second);
    this.#subscription.redeliver(second);
    this.#arrive(second);
    this.#kill(second);
    this.#work(second);
    this.#measure(second);
    if (second > 0 && second % this.#scaler.periodSeconds === 0) {
      this.#scale(second);
    }
  }

  sample(second: number): PlanSample {
    return {
      second,
      backlog: this.#subscription.backlog,
      ageSeconds: this.#subscription.ageSeconds(second),
      replicas: this.#pods.replicas,
      readyReplicas: this.#pods.ready,
    };
  }

  outcome(): Omit<PlanOutcome, 'samples'> {
    const { podSeconds, sizedSeconds, ...sums } = this.#sums;
    return {
      ...sums,
      finished: this.#subscription.backlog === 0,
      podHours: podSeconds / secondsPerHour,
      dollars: (sizedSeconds / secondsPerHour) * this.#world.dollarsPerPodHour,
    };
  }

  #arrive(second: number): void {
    const readings = this.#readings[second] ?? 0;
    this.#subscription.publish(second, readings);
    this.#lastArrivalSecond = readings > 0 ? second : this.#lastArrivalSecond;
    this.#sinceAsked.arrived += readings;
    this.#sums.readings += readings;
  }

  #kill(second: number): void {
    const { killEverySeconds, inFlightSeconds, readingsPerPodSecond, ackDeadlineSeconds } = this.#world;
    if (killEverySeconds !== undefined && second > 0 && second % killEverySeconds === 0 && this.#pods.ready > 0) {
      this.#subscription.lease(Math.floor(readingsPerPodSecond * inFlightSeconds), second + ackDeadlineSeconds);
      this.#pods.kill(second);
    }
  }

  #work(second: number): void {
    const capacity = this.#pods.ready * this.#world.readingsPerPodSecond * this.#podSize + this.#carriedCapacity;
    const settled = this.#subscription.settle(Math.floor(capacity));
    // Only what a rate leaves over below one reading is carried: an idle second is not made up for.
    this.#carriedCapacity = settled === Math.floor(capacity) ? capacity - settled : 0;
    this.#sinceAsked.settled += settled;
    this.#sinceAsked.capacity += capacity;
    const { existing } = this.#pods;
    this.#sums.podSeconds += existing;
    this.#sums.sizedSeconds += existing * this.#podSize;
    this.#sums.worstAgeSeconds = Math.max(this.#sums.worstAgeSeconds, this.#subscription.ageSeconds(second));
    if (this.#subscription.backlog > 0) {
      this.#lastBusySecond = second;
      this.#sums.tailSeconds = Math.max(this.#sums.tailSeconds, second - this.#lastArrivalSecond);
    }
  }

  #measure(second: number): void {
    if (second % this.#world.metricSampleSeconds === 0) {
      this.#metrics.push({
        second,
        backlog: this.#subscription.backlog,
        ageSeconds: this.#subscription.ageSeconds(second),
      });
    }
    while ((this.#metrics[1]?.second ?? Infinity) <= second - this.#world.metricLagSeconds) {
      this.#metrics.shift();
    }
  }

  #scale(second: number): void {
    const { periodSeconds } = this.#scaler;
    const [seen] = this.#metrics;
    const known = seen !== undefined && seen.second <= second - this.#world.metricLagSeconds;
    const before = this.#pods.replicas;
    const wanted = this.#scaler.decide({
      second,
      backlog: known ? seen.backlog : 0,
      ageSeconds: known ? seen.ageSeconds : 0,
      metricsSecond: known ? seen.second : 0,
      replicas: before,
      readyReplicas: this.#pods.ready,
      utilization: this.#sinceAsked.capacity === 0 ? 0 : this.#sinceAsked.settled / this.#sinceAsked.capacity,
      arrivedPerSecond: this.#sinceAsked.arrived / periodSeconds,
      settledPerSecond: this.#sinceAsked.settled / periodSeconds,
    });
    Object.assign(this.#sinceAsked, { arrived: 0, settled: 0, capacity: 0 });
    this.#pods.scale(wanted, second);
    this.#count(wanted - before, second);
    this.#resize(second);
  }

  /** A pod of another size is another pod: they are replaced one by one. */
  #resize(second: number): void {
    const size = this.#scaler.podSize?.() ?? 1;
    if (size !== this.#podSize && this.#pods.ready > 0) {
      this.#podSize = size;
      this.#pods.kill(second);
    }
  }

  #count(change: number, second: number): void {
    this.#sums.scaleEvents += change === 0 ? 0 : 1;
    if (change < 0) {
      this.#lastDownSecond = second;
    } else if (change > 0 && second - this.#lastDownSecond <= flapSeconds) {
      this.#sums.flaps += 1;
      this.#lastDownSecond = -Infinity;
    }
  }
}
