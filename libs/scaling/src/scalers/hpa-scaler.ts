import { HpaController, type HpaControllerOptions } from '../hpa/hpa-controller.ts';
import type { HpaSpec } from '../hpa/hpa-spec.ts';
import type { Scaler, ScalerView } from './scaler.ts';

const nsPerSecond = 1e9;

/** Names of the two metrics where no manifest names them otherwise. */
export const planMetrics = { backlog: 'backlog', age: 'oldest-age' } as const;

/**
 * Which of the two a metric is, by the words of its name, whoever names it: `…|oldest_unacked_message_age`,
 * `meterflow_scaling_backlog_messages`. Undefined for any other: it fails, as it would in a cluster without it.
 */
export function planMetricOf(name: string): keyof typeof planMetrics | undefined {
  const words = name.toLowerCase().split(/[^a-z]+/);
  return words.includes('age')
    ? 'age'
    : words.includes('backlog') || words.includes('undelivered')
      ? 'backlog'
      : undefined;
}

export interface HpaScalerOptions extends HpaControllerOptions {
  readonly syncSeconds?: number;
  /** The backlog is told in messages of so many readings; 1. */
  readonly readingsPerMessage?: number;
}

/** Kubernetes' HorizontalPodAutoscaler on backlog (messages) and age of the oldest (seconds). */
export class HpaScaler implements Scaler {
  readonly periodSeconds: number;
  readonly replicasAtStart: number;
  readonly #controller: HpaController;
  readonly #readingsPerMessage: number;

  constructor(spec: HpaSpec, { syncSeconds = 15, readingsPerMessage = 1, ...options }: HpaScalerOptions = {}) {
    this.#readingsPerMessage = readingsPerMessage;
    this.periodSeconds = syncSeconds;
    this.replicasAtStart = Math.max(1, spec.minReplicas);
    this.#controller = new HpaController(spec, options);
  }

  decide({ second, backlog, ageSeconds, replicas, readyReplicas }: ScalerView): number {
    const values = { backlog: Math.ceil(backlog / this.#readingsPerMessage), age: ageSeconds };
    return this.#controller.sync(second * nsPerSecond, {
      specReplicas: replicas,
      statusReplicas: replicas,
      podCount: replicas,
      readyPodCount: readyReplicas,
      milliOf: ({ name }) => {
        const metric = planMetricOf(name);
        return metric === undefined ? undefined : Math.trunc(values[metric] * 1000);
      },
    });
  }
}
