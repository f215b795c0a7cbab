import { missingCode, qualities, qualityOf } from '@meterflow/readings';
import { rareCounts, wholeWindow, type RareCount } from '../aggregate-batch.ts';
import { AggregateRow, type AggregateBatchBuilder } from '../aggregate-batch-builder.ts';
import { hourMs } from '../calendar.ts';
import { setSum, sumInteger } from '../wide-sum.ts';
import { qualityCount, slotCount, type Contribution } from './contribution.ts';
import { roundedContribution } from './rounded-contribution.ts';
import { missingBit, slotQuality } from './slot-quality.ts';

/** Sums that no so many decimals hold are rounded to them; what is left over is carried on within the hour. */
const decimalsMax = 9;

/**
 * Appends a group's day: each hour in which anybody gave a value, then the day. The total of a slot stands where a
 * series has a reading: least and greatest are the least and greatest totals of a slot. `count` is the number of values,
 * one a series and slot. The quality is that of a series with the same readings; a day in which nobody gave anything has
 * no row and withdraws what was there before.
 */
export function appendGroupSheet(builder: AggregateBatchBuilder, series: number, contribution: Contribution): void {
  const rounded = roundedContribution(contribution, { decimals: decimalsMax, carryMs: hourMs });
  const { startMs, endMs, slotMs, unit, decimals } = rounded;
  builder.begin({ series, startMs, endMs, unit: builder.text(unit), decimals });
  const slots = slotCount(rounded);
  const perHour = Math.round(hourMs / slotMs);
  const day = new GroupRow(wholeWindow);
  for (let from = 0; from < slots; from += Math.max(1, perHour)) {
    const hour = new GroupRow(Math.floor((from * slotMs) / hourMs));
    for (let slot = from; slot < Math.min(slots, from + Math.max(1, perHour)); slot++) {
      hour.add(rounded, slot);
      day.add(rounded, slot);
    }
    // Slots longer than an hour have none.
    if (perHour >= 1) {
      hour.appendTo(builder);
    }
  }
  day.appendTo(builder);
}

/** A row, and what it is made of so far. */
class GroupRow {
  readonly #row = new AggregateRow();
  readonly #startMs: number;
  #sum: number | bigint = 0;
  #bits = 0;

  constructor(hour: number) {
    this.#row.hour = hour;
    this.#startMs = hour === wholeWindow ? 0 : hour * hourMs;
  }

  add(contribution: Contribution, slot: number): void {
    let present = 0;
    for (let quality = 0; quality < qualities.length; quality++) {
      const count = qualityCount(contribution, slot, quality);
      if (count > 0) {
        this.#bits |= quality === missingCode ? missingBit : 1 << quality;
        present += quality === missingCode ? 0 : count;
        this.#note(quality, count);
      }
    }
    if (present === 0) {
      return;
    }
    const [high, low] = [contribution.sumHigh[slot] as number, contribution.sumLow[slot] as number];
    const total = high === 0 ? low : Number(sumInteger(high, low));
    const row = this.#row;
    row.min = row.count === 0 ? total : Math.min(row.min, total);
    if (row.count === 0 || total > row.max) {
      row.max = total;
      row.peakOffsetMs = slot * contribution.slotMs - this.#startMs;
    }
    row.count += present;
    this.#sum = exactlyPlus(this.#sum, high, low);
  }

  #note(quality: number, count: number): void {
    this.#row.expected += count;
    const name = rareCounts.find((each): each is RareCount => each === qualityOf(quality));
    if (name !== undefined) {
      this.#row[name] += count;
    }
  }

  appendTo(builder: AggregateBatchBuilder): void {
    if (this.#row.count === 0) {
      return;
    }
    setSum(this.#row, this.#sum);
    this.#row.quality = slotQuality(this.#bits);
    builder.append(this.#row);
  }
}

/** In float64 as long as that holds every digit. */
function exactlyPlus(sum: number | bigint, high: number, low: number): number | bigint {
  if (typeof sum === 'number' && high === 0 && Math.abs(sum + low) < 2 ** 52) {
    return sum + low;
  }
  return BigInt(sum) + sumInteger(high, low);
}
