import { missingCode, powersOfTen, qualities, type ReadingColumns } from '@meterflow/readings';
import { multiplier } from '../unit-choice.ts';
import { ownContribution, slotCount, type Contribution, type DaySlots } from './contribution.ts';
import { cutStretches, type CutStretch, type MemberStretch } from './member-stretch.ts';
import { missingBit, slotQuality } from './slot-quality.ts';
import { StretchRuns } from './stretch-runs.ts';
import { WideColumn } from './wide-column.ts';

export interface MemberRequest extends DaySlots {
  /** What the group is summed in. */
  readonly unit: string;
  /** When the series is a member, without overlap; they may reach beyond the day. */
  readonly stretches: readonly MemberStretch[];
}

/**
 * What a series gives its group over a local day, from its latest readings of the validated layer. Made once, used for
 * one series after the other.
 *
 * A reading counts where it starts within a stretch and has the interval registered there; others are surplus. One that
 * is longer than a slot is shared out to its slots in exact equal parts, shorter ones add up in theirs; one whose value
 * can't be converted to the unit is as good as missing. Intervals are expected one after another from the start of the
 * local day; those that slots neither divide nor are divided by give no values and are missing as a whole.
 */
export class MemberContribution {
  readonly #sums = new WideColumn();
  #bits = new Uint8Array(0);
  #found = new Uint32Array(0);
  #expected = new Uint32Array(0);
  #counts = new Uint32Array(0);
  #slots = 0;

  /** `columns` are the series' latest readings of all UTC days that the local day touches, in any order. */
  of(request: MemberRequest, columns: readonly ReadingColumns[]): Contribution {
    return ownContribution(this.lend(request, columns));
  }

  /** The same without copies: its columns are this one's own, good until its next use. */
  lend(request: MemberRequest, columns: readonly ReadingColumns[]): Contribution {
    this.#reset(slotCount(request));
    const cut = cutStretches(request.stretches, request, columns);
    for (const stretch of cut.stretches) {
      this.#expect(stretch, request);
    }
    const decimals = readingDecimals(columns, request.unit);
    for (const segment of columns) {
      this.#take(segment, request, { stretches: cut.stretches, decimals });
    }
    const divisor = cut.divisor / this.#sums.reduce(cut.divisor);
    return {
      startMs: request.startMs,
      endMs: request.endMs,
      slotMs: request.slotMs,
      unit: request.unit,
      decimals: this.#sums.shorten(decimals + cut.decimals),
      divisor,
      ...this.#sums.lend(),
      counts: this.#count(),
    };
  }

  #reset(slots: number): void {
    this.#slots = slots;
    this.#sums.reset(slots);
    if (slots > this.#bits.length) {
      this.#bits = new Uint8Array(slots);
      this.#found = new Uint32Array(slots);
      this.#expected = new Uint32Array(slots);
      this.#counts = new Uint32Array(slots * qualities.length);
    } else {
      this.#bits.fill(0, 0, slots);
      this.#found.fill(0, 0, slots);
      this.#expected.fill(0, 0, slots);
      this.#counts.fill(0, 0, slots * qualities.length);
    }
  }

  #expect({ fromMs, toMs, intervalMs, parts }: CutStretch, { startMs, slotMs }: DaySlots): void {
    const first = Math.ceil((fromMs - startMs) / intervalMs);
    for (let instantMs = startMs + first * intervalMs; instantMs < toMs; instantMs += intervalMs) {
      const slot = Math.floor((instantMs - startMs) / slotMs);
      const end = Math.min(this.#slots, slot + parts);
      for (let part = Math.max(0, slot); part < end; part++) {
        this.#expected[part] = (this.#expected[part] as number) + 1;
      }
    }
  }

  #take(
    segment: ReadingColumns,
    request: MemberRequest,
    { stretches, decimals }: { readonly stretches: readonly CutStretch[]; readonly decimals: number },
  ): void {
    const factors = unitFactors(segment, request.unit, decimals);
    const runs = new StretchRuns(segment, stretches);
    while (runs.next()) {
      const { stretch, quality, startMs, stepMs } = runs;
      if (stretch.intervalMs !== runs.lengthMs || stretch.factor === 0) {
        continue;
      }
      const { parts } = stretch;
      const unitFactor = quality === missingCode ? 0 : (factors[runs.unit] as number);
      const found = unitFactor === 0 ? missingCode : quality;
      const factor = unitFactor * stretch.factor;
      for (let index = runs.from, atMs = startMs - request.startMs; index < runs.to; index++, atMs += stepMs) {
        this.#give(Math.floor(atMs / request.slotMs), { parts, found, value: segment.values[index] as number, factor });
      }
    }
  }

  #give(
    slot: number,
    { parts, found, value, factor }: { parts: number; found: number; value: number; factor: number },
  ): void {
    const end = Math.min(this.#slots, slot + parts);
    for (let part = Math.max(0, slot); part < end; part++) {
      this.#bits[part] = (this.#bits[part] as number) | (1 << found);
      this.#found[part] = (this.#found[part] as number) + 1;
      if (factor !== 0) {
        this.#sums.add(part, value, factor);
      }
    }
  }

  #count(): Uint32Array {
    const slots = this.#slots;
    const counts = this.#counts.subarray(0, slots * qualities.length);
    for (let slot = 0; slot < slots; slot++) {
      const short = (this.#found[slot] as number) < (this.#expected[slot] as number);
      const bits = (this.#bits[slot] as number) | (short ? missingBit : 0);
      if (bits !== 0) {
        counts[slotQuality(bits) * slots + slot] = 1;
      }
    }
    return counts;
  }
}

/** Decimals that hold every value of the columns in the unit. */
function readingDecimals(columns: readonly ReadingColumns[], unit: string): number {
  let decimals = 0;
  for (const segment of columns) {
    for (const text of segment.unit.values) {
      const power = multiplier(segment.texts[text] as string, unit) ?? 0;
      decimals = Math.max(decimals, segment.decimals - Math.min(0, power));
    }
  }
  return decimals;
}

/** By index of text: what brings a segment's integers to `decimals` of the unit; 0 where that can't be. */
function unitFactors(segment: ReadingColumns, unit: string, decimals: number): number[] {
  return segment.texts.map((text) => {
    const power = multiplier(text, unit);
    return power === undefined ? 0 : (powersOfTen[decimals - segment.decimals + power] ?? 0);
  });
}
