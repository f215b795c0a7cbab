import type { Scaler, ScalerView } from './scaler.ts';

const periodSeconds = 60;

/** Always so many pods of one size. */
export class FixedScaler implements Scaler {
  readonly periodSeconds = periodSeconds;
  readonly replicasAtStart: number;

  constructor(replicas: number) {
    this.replicasAtStart = replicas;
  }

  decide(): number {
    return this.replicasAtStart;
  }
}

/** Flags of VPA's recommender, as they come: https://github.com/kubernetes/autoscaler, vertical-pod-autoscaler. */
const vpaDefaults = { targetPercentile: 0.9, marginShare: 0.15, halfLifeSeconds: 86_400 } as const;
/** Sizes that use is sorted into; each is so much larger than the one before. */
const sizeRatio = 1.05;
const smallestSize = 0.01;
const sizes = 200;
/** A recommendation so close to the size is not worth a restart. */
const changeShareMin = 0.1;

/** Always so many pods, each sized by VPA: the 90th percentile of a histogram of CPU use that forgets by half a day. */
export class VpaScaler implements Scaler {
  readonly periodSeconds = periodSeconds;
  readonly replicasAtStart: number;
  readonly #sizeMin: number;
  readonly #sizeMax: number;
  readonly #weights = new Float64Array(sizes);
  #size: number;

  constructor(replicas: number, { sizeMin, sizeMax }: { readonly sizeMin: number; readonly sizeMax: number }) {
    this.replicasAtStart = replicas;
    this.#sizeMin = sizeMin;
    this.#sizeMax = sizeMax;
    this.#size = 1;
  }

  decide({ utilization, second }: ScalerView): number {
    const used = utilization * this.#size;
    const place = Math.ceil(Math.log(Math.max(used, smallestSize) / smallestSize) / Math.log(sizeRatio));
    const at = Math.min(sizes - 1, place);
    // Newer use weighs more, so that older needs no fading.
    this.#weights[at] = (this.#weights[at] as number) + 2 ** (second / vpaDefaults.halfLifeSeconds);
    const wanted = Math.min(this.#sizeMax, Math.max(this.#sizeMin, this.#percentile() * (1 + vpaDefaults.marginShare)));
    if (Math.abs(wanted - this.#size) > changeShareMin * this.#size) {
      this.#size = wanted;
    }
    return this.replicasAtStart;
  }

  podSize(): number {
    return this.#size;
  }

  #percentile(): number {
    const wanted = vpaDefaults.targetPercentile * this.#weights.reduce((sum, each) => sum + each, 0);
    let sum = 0;
    const at = this.#weights.findIndex((weight) => (sum += weight) >= wanted);
    return smallestSize * sizeRatio ** Math.max(0, at);
  }
}
