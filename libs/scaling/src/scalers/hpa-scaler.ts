import { HpaController, type HpaControllerOptions } from '../hpa/hpa-controller.ts';
import type { HpaSpec } from '../hpa/hpa-spec.ts';
import type { Scaler, ScalerView } from './scaler.ts';

const nsPerSecond = 1e9;

/** Names of the two metrics that a plan knows; others fail, as they would in a cluster without them. */
export const planMetrics = { backlog: 'backlog', age: 'oldest-age' } as const;

/** Kubernetes' HorizontalPodAutoscaler on backlog (readings) and age of the oldest (seconds). */
export class HpaScaler implements Scaler {
  readonly periodSeconds: number;
  readonly replicasAtStart: number;
  readonly #controller: HpaController;

  constructor(
    spec: HpaSpec,
    { syncSeconds = 15, ...options }: HpaControllerOptions & { readonly syncSeconds?: number } = {},
  ) {
    this.periodSeconds = syncSeconds;
    this.replicasAtStart = Math.max(1, spec.minReplicas);
    this.#controller = new HpaController(spec, options);
  }

  decide({ second, backlog, ageSeconds, replicas, readyReplicas }: ScalerView): number {
    const values = new Map<string, number>([
      [planMetrics.backlog, backlog],
      [planMetrics.age, ageSeconds],
    ]);
    return this.#controller.sync(second * nsPerSecond, {
      specReplicas: replicas,
      statusReplicas: replicas,
      podCount: replicas,
      readyPodCount: readyReplicas,
      milliOf: ({ name }) => {
        const value = values.get(name);
        return value === undefined ? undefined : Math.trunc(value * 1000);
      },
    });
  }
}
