import type { HpaSpec } from '../hpa/hpa-spec.ts';
import { HpaScaler, type HpaScalerOptions } from './hpa-scaler.ts';
import type { Scaler, ScalerView } from './scaler.ts';

/** Defaults of a ScaledObject: https://keda.sh/docs/latest/reference/scaledobject-spec/ */
const kedaDefaults = { pollingSeconds: 30, cooldownSeconds: 300 } as const;

/** KEDA's ScaledObject: itself between none and one, an HPA from one on. */
export class KedaScaler implements Scaler {
  readonly periodSeconds = 15;
  readonly replicasAtStart = 0;
  readonly #hpa: HpaScaler;
  #lastActiveSecond = -Infinity;

  /** `spec` is that of the HPA that KEDA makes; it has at least one replica. */
  constructor(spec: HpaSpec, options: Pick<HpaScalerOptions, 'readingsPerMessage'> = {}) {
    this.#hpa = new HpaScaler(
      { ...spec, minReplicas: Math.max(1, spec.minReplicas) },
      { ...options, syncSeconds: this.periodSeconds },
    );
  }

  decide(view: ScalerView): number {
    if (view.backlog > 0) {
      this.#lastActiveSecond = view.second;
    }
    if (view.replicas === 0) {
      const polled = view.second % kedaDefaults.pollingSeconds === 0;
      return polled && view.backlog > 0 ? 1 : 0;
    }
    if (view.second - this.#lastActiveSecond >= kedaDefaults.cooldownSeconds) {
      return 0;
    }
    return this.#hpa.decide(view);
  }
}
