import { V1PodStatus, type BatchV1Api, type CoreV1Api, type V1Pod } from '@kubernetes/client-node';

export interface SimulatedWorkersOptions {
  readonly core: CoreV1Api;
  readonly batch: BatchV1Api;
  readonly namespace: string;
  /** Messages that one worker acks in a second. */
  readonly ratePerSecond: number;
  readonly idleMs: number;
}

interface Worker {
  idleSinceMs: number | undefined;
  ended: boolean;
}

/** What was not acked, and what was acked until then. */
interface Moment {
  readonly atMs: number;
  readonly unacked: number;
  readonly acked: number;
}

const msPerSecond = 1_000;
/** From the acks that a decision rests on until its Jobs are seen, on a busy machine. */
const decisionMsMax = 5_000;

/**
 * Workers of one stage: the pods are real objects of a real cluster that no kubelet runs, and this plays the kubelet. They
 * share what waits, and end themselves when there was nothing for a while.
 */
export class SimulatedWorkers {
  readonly #options: SimulatedWorkersOptions;
  readonly #workers = new Map<string, Worker>();
  readonly #moments: Moment[] = [];
  #unacked = 0;
  #acked = 0;
  #lastAtMs: number | undefined;
  /** What broke a rule, in words. */
  readonly faults: string[] = [];
  readonly jobs = new Set<string>();
  busiest = 0;

  constructor(options: SimulatedWorkersOptions) {
    this.#options = options;
  }

  get unacked(): number {
    return this.#unacked;
  }

  /** Workers that have not ended. */
  get running(): number {
    return [...this.#workers.values()].filter(({ ended }) => !ended).length;
  }

  publish(messages: number): void {
    this.#unacked += messages;
  }

  /** What a metric so late says: the backlog of then, and the acks since. */
  metric(lagMs: number, nowMs: number): { readonly backlog: number; readonly acked: number } {
    const then = this.#moments.findLast(({ atMs }) => atMs <= nowMs - lagMs);
    return { backlog: Math.ceil(then?.unacked ?? 0), acked: Math.ceil(this.#acked - (then?.acked ?? 0)) };
  }

  /** Called every few hundred milliseconds. */
  async step(nowMs: number, target: { readonly messages: number; readonly jobsMax: number }): Promise<void> {
    const { core, batch, namespace } = this.#options;
    const [pods, jobs] = await Promise.all([
      core.listNamespacedPod({ namespace, labelSelector: 'batch.kubernetes.io/job-name' }),
      batch.listNamespacedJob({ namespace }),
    ]);
    const fresh = jobs.items.filter(({ metadata }) => !this.jobs.has(metadata?.name ?? ''));
    const wanted = Math.min(target.jobsMax, Math.ceil(this.#recentlyUnacked(nowMs) / target.messages));
    const unfinished = jobs.items.filter(({ status }) => status?.completionTime === undefined).length;
    if (fresh.length > 0 && unfinished > wanted) {
      this.faults.push(`${fresh.length} Jobs more, ${unfinished} in all, while what waits asks for ${wanted}`);
    }
    fresh.forEach(({ metadata }) => this.jobs.add(metadata?.name ?? ''));
    this.#see(pods.items);
    this.#work(nowMs);
    await this.#end(nowMs);
    this.busiest = Math.max(this.busiest, this.running);
    this.#moments.push({ atMs: nowMs, unacked: this.#unacked, acked: this.#acked });
  }

  /** The most that really waited since the scaler may have decided. */
  #recentlyUnacked(nowMs: number): number {
    const recent = this.#moments.filter(({ atMs }) => nowMs - atMs < decisionMsMax);
    return recent.reduce((most, { unacked }) => Math.max(most, unacked), this.#unacked);
  }

  #see(pods: readonly V1Pod[]): void {
    const there = new Set(pods.map(({ metadata }) => metadata?.name ?? ''));
    for (const [name, worker] of this.#workers) {
      if (!worker.ended && !there.has(name)) {
        this.faults.push(`${name} is gone, and had not ended itself`);
        worker.ended = true;
      }
    }
    for (const { metadata } of pods) {
      const name = metadata?.name ?? '';
      if (!this.#workers.has(name)) {
        this.#workers.set(name, { idleSinceMs: undefined, ended: false });
      }
      if (metadata?.deletionTimestamp !== undefined && this.#workers.get(name)?.ended === false) {
        this.faults.push(`${name} is told to end, and had not ended itself`);
      }
    }
  }

  #work(nowMs: number): void {
    const seconds = (nowMs - (this.#lastAtMs ?? nowMs)) / msPerSecond;
    this.#lastAtMs = nowMs;
    for (const worker of this.#workers.values()) {
      if (!worker.ended) {
        const acked = Math.min(this.#unacked, this.#options.ratePerSecond * seconds);
        this.#unacked -= acked;
        this.#acked += acked;
        worker.idleSinceMs = this.#unacked > 0 || acked > 0 ? undefined : (worker.idleSinceMs ?? nowMs);
      }
    }
  }

  async #end(nowMs: number): Promise<void> {
    const idle = [...this.#workers].filter(
      ([, { ended, idleSinceMs = nowMs }]) => !ended && nowMs - idleSinceMs >= this.#options.idleMs,
    );
    for (const [name, worker] of idle) {
      worker.ended = true;
      const { core, namespace } = this.#options;
      const pod = await core.readNamespacedPodStatus({ namespace, name });
      pod.status ??= new V1PodStatus();
      pod.status.phase = 'Succeeded';
      await core.replaceNamespacedPodStatus({ namespace, name, body: pod });
    }
  }
}
