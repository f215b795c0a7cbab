import { qualityCode } from '@meterflow/readings';
import type { AggregateRow } from './aggregate-batch-builder.ts';
import { rareCounts, type RareCount } from './aggregate-batch.ts';
import { setSum } from './wide-sum.ts';

/** Sums stay in float64 below this, where every integer and every sum of two is exact. */
const floatMax = 2 ** 52;

const measured = qualityCode('measured');
const estimated = qualityCode('estimated');
const calculated = qualityCode('calculated');
const missing = qualityCode('missing');
/** What each quality of a reading makes of an aggregate; the highest of a window counts. */
const aggregateQuality = Uint8Array.of(measured, estimated, estimated, calculated);

/** Values on their way into slots: they are integers of 10^-(slot decimals) once multiplied by 10^shift. */
export interface Values {
  readonly values: Float64Array;
  readonly from: number;
  readonly to: number;
  /** When the first of them starts, and how far apart they do. */
  readonly startMs: number;
  readonly stepMs: number;
}

/** Sum, least, greatest with its time, counts and quality for each of a number of slots. Kept and used again after each `reset`. */
export class SlotSums {
  #sum = new Float64Array(0);
  #min = new Float64Array(0);
  #max = new Float64Array(0);
  #peakMs = new Float64Array(0);
  #count = new Uint32Array(0);
  #quality = new Uint8Array(0);
  /** By slot; empty as long as there are none. */
  #rare: Record<RareCount, Uint32Array> | undefined;
  #slots = 0;
  /** What float64 could not hold of a slot's sum. */
  readonly #wide = new Map<number, bigint>();

  reset(slots: number): void {
    if (slots > this.#sum.length) {
      this.#sum = new Float64Array(slots);
      this.#min = new Float64Array(slots);
      this.#max = new Float64Array(slots);
      this.#peakMs = new Float64Array(slots);
      this.#count = new Uint32Array(slots);
      this.#quality = new Uint8Array(slots);
    } else {
      this.#sum.fill(0, 0, slots);
      this.#count.fill(0, 0, slots);
      this.#quality.fill(0, 0, slots);
    }
    this.#wide.clear();
    this.#rare = undefined;
    this.#slots = slots;
  }

  count(slot: number): number {
    return this.#count[slot] as number;
  }

  surplus(slot: number): number {
    return this.#rare === undefined ? 0 : (this.#rare.surplus[slot] as number);
  }

  /** Adds a run of at least one value; `factor` is 10^shift. */
  add(slot: number, run: Values, factor: number): void {
    const { values, from, to } = run;
    let min = values[from] as number;
    let max = min;
    let peak = from;
    let sum = min;
    for (let index = from + 1; index < to; index++) {
      const value = values[index] as number;
      sum += value;
      if (value < min) {
        min = value;
      } else if (value > max) {
        max = value;
        peak = index;
      }
    }
    const count = to - from;
    const boundMax = Math.max(max, -min) * count * factor;
    if (boundMax < floatMax) {
      this.#addSum(slot, sum * factor);
    } else {
      this.#addWide(slot, exactSum(run) * BigInt(factor));
    }
    this.#lower(slot, min * factor);
    this.#raise(slot, max * factor, run.startMs + (peak - from) * run.stepMs);
    this.#count[slot] = (this.#count[slot] as number) + count;
  }

  /** Notes a reading's quality. */
  note(slot: number, quality: number): void {
    const found = aggregateQuality[quality] as number;
    if (found > (this.#quality[slot] as number)) {
      this.#quality[slot] = found;
    }
  }

  /** Adds to a count that is mostly 0. */
  countRare(slot: number, name: RareCount, count: number): void {
    this.#rare ??= noRareCounts(this.#slots);
    (this.#rare[name][slot] as number) += count;
  }

  /** Adds all that slot `from` holds to slot `slot`. */
  fold(slot: number, from: number): void {
    if (this.#rare !== undefined) {
      for (const name of rareCounts) {
        (this.#rare[name][slot] as number) += this.#rare[name][from] as number;
      }
    }
    if (this.#count[from] === 0) {
      return;
    }
    const wide = this.#wide.get(from);
    if (wide !== undefined) {
      this.#addWide(slot, wide);
    }
    this.#addSum(slot, this.#sum[from] as number);
    this.#lower(slot, this.#min[from] as number);
    this.#raise(slot, this.#max[from] as number, this.#peakMs[from] as number);
    this.#count[slot] = (this.#count[slot] as number) + (this.#count[from] as number);
    this.#quality[slot] = Math.max(this.#quality[slot] as number, this.#quality[from] as number);
  }

  /**
   * Fills in all of the row but its hour. `startMs` is where its window begins, `expected` how many readings it should
   * have: where some of them are missing, no quality is better than estimated. A slot that only has surplus says nothing
   * but that.
   */
  read(slot: number, row: AggregateRow, { startMs, expected }: { startMs: number; expected: number }): void {
    const wide = this.#wide.get(slot);
    const sum = this.#sum[slot] as number;
    setSum(row, wide === undefined ? sum : wide + BigInt(sum));
    row.count = this.#count[slot] as number;
    row.expected = expected;
    this.#readRare(slot, row);
    if (row.count === 0) {
      row.min = row.max = row.peakOffsetMs = 0;
      row.quality = missing;
      return;
    }
    row.min = this.#min[slot] as number;
    row.max = this.#max[slot] as number;
    row.peakOffsetMs = (this.#peakMs[slot] as number) - startMs;
    const quality = this.#quality[slot] as number;
    row.quality = quality === measured && row.count < expected ? estimated : quality;
  }

  #readRare(slot: number, row: AggregateRow): void {
    const rare = this.#rare;
    row.surplus = rare === undefined ? 0 : (rare.surplus[slot] as number);
    row.estimated = rare === undefined ? 0 : (rare.estimated[slot] as number);
    row.substituted = rare === undefined ? 0 : (rare.substituted[slot] as number);
    row.calculated = rare === undefined ? 0 : (rare.calculated[slot] as number);
    row.notBillable = rare === undefined ? 0 : (rare.notBillable[slot] as number);
  }

  /** Both summands are below `floatMax`, so that their sum is exact. */
  #addSum(slot: number, summand: number): void {
    const sum = (this.#sum[slot] as number) + summand;
    if (Math.abs(sum) < floatMax) {
      this.#sum[slot] = sum;
    } else {
      this.#sum[slot] = 0;
      this.#addWide(slot, BigInt(sum));
    }
  }

  #addWide(slot: number, summand: bigint): void {
    this.#wide.set(slot, (this.#wide.get(slot) ?? 0n) + summand);
  }

  /** To be called before the slot's count rises, as `#raise` is. */
  #lower(slot: number, min: number): void {
    if (this.#count[slot] === 0 || min < (this.#min[slot] as number)) {
      this.#min[slot] = min;
    }
  }

  #raise(slot: number, max: number, peakMs: number): void {
    const before = this.#max[slot] as number;
    if (this.#count[slot] === 0 || max > before || (max === before && peakMs < (this.#peakMs[slot] as number))) {
      this.#max[slot] = max;
      this.#peakMs[slot] = peakMs;
    }
  }
}

function noRareCounts(slots: number): Record<RareCount, Uint32Array> {
  const none = (): Uint32Array => new Uint32Array(slots);
  return { surplus: none(), estimated: none(), substituted: none(), calculated: none(), notBillable: none() };
}

function exactSum({ values, from, to }: Values): bigint {
  let sum = 0n;
  for (let index = from; index < to; index++) {
    sum += BigInt(values[index] as number);
  }
  return sum;
}
