import { missingCode, ReadingCursor, type ReadingColumns } from '@meterflow/readings';
import { dayIndex, type LocalDays } from './local-days.ts';
import type { RawWindow } from './series-run.ts';

/** Texts that columns name by their place; the first is empty. */
export class TextList {
  readonly texts: string[] = [''];
  readonly #index = new Map<string, number>([['', 0]]);

  indexOf(text: string): number {
    let index = this.#index.get(text);
    if (index === undefined) {
      index = this.texts.push(text) - 1;
      this.#index.set(text, index);
    }
    return index;
  }
}

/** How many slots a day has: a day on which the clock changes has more or fewer of those that are short enough. */
export function slotCount(dayLengthMs: number, intervalMs: number): number {
  return intervalMs === 0 || dayLengthMs === 0 ? 0 : Math.max(1, Math.round(dayLengthMs / intervalMs));
}

/** Which slot of its day a reading is; -1 for one of another length, or that begins off the grid of the local day. */
export function slotOf(
  days: LocalDays,
  day: number,
  reading: { readonly startMs: number; readonly intervalMs: number },
): number {
  const { startMs, intervalMs } = reading;
  const fromMs = days.startMs[day] as number;
  const slot = (startMs - fromMs) / intervalMs;
  return Number.isInteger(slot) && slot < slotCount((days.startMs[day + 1] as number) - fromMs, intervalMs) ? slot : -1;
}

/** The raw readings of one channel on the grid of local days. */
export function rawWindow(
  columns: readonly ReadingColumns[],
  { channel, intervalMs, days, texts }: { channel: string; intervalMs: number; days: LocalDays; texts: TextList },
): RawWindow {
  const count = days.startMs.length - 1;
  const slotsFrom = new Uint32Array(count + 1);
  for (let day = 0; day < count; day++) {
    const lengthMs = (days.startMs[day + 1] as number) - (days.startMs[day] as number);
    slotsFrom[day + 1] = (slotsFrom[day] as number) + slotCount(lengthMs, intervalMs);
  }
  const slots = slotsFrom[count] as number;
  const values = new Float64Array(slots).fill(NaN);
  const quality = new Uint8Array(slots);
  const unit = new Uint16Array(slots);
  const registers: { startMs: number; value: number; quality: number; unit: number; day: number }[] = [];
  for (const segment of columns) {
    const cursor = new ReadingCursor(segment);
    const divisor = 10 ** segment.decimals;
    while (cursor.next()) {
      const day = dayIndex(days, cursor.startMs);
      if (day < 0 || cursor.qualityCode === missingCode) {
        continue;
      }
      const { startMs } = cursor;
      const value = cursor.integer / divisor;
      if (cursor.lengthMs === 0) {
        registers.push({ startMs, value, quality: cursor.qualityCode, unit: texts.indexOf(cursor.unit), day });
      } else if (cursor.lengthMs === intervalMs) {
        const slot = slotOf(days, day, { startMs, intervalMs });
        if (slot >= 0) {
          const index = (slotsFrom[day] as number) + slot;
          values[index] = value;
          quality[index] = cursor.qualityCode;
          unit[index] = texts.indexOf(cursor.unit);
        }
      }
    }
  }
  const registersFrom = new Uint32Array(count + 1);
  registers.forEach(({ day }) => {
    registersFrom[day + 1] = (registersFrom[day + 1] as number) + 1;
  });
  for (let day = 0; day < count; day++) {
    registersFrom[day + 1] = (registersFrom[day + 1] as number) + (registersFrom[day] as number);
  }
  return {
    ...{ channel, intervalMs, slotsFrom, values, quality, unit, registersFrom },
    registerStartMs: Float64Array.from(registers, ({ startMs }) => startMs),
    registerValues: Float64Array.from(registers, ({ value }) => value),
    registerQuality: Uint8Array.from(registers, (each) => each.quality),
    registerUnit: Uint16Array.from(registers, (each) => each.unit),
  };
}

/** The windows of these days alone. */
export function windowOf(window: RawWindow, from: number, to: number): RawWindow {
  const slotsFrom = window.slotsFrom.slice(from, to + 1);
  const registersFrom = window.registersFrom.slice(from, to + 1);
  const [slots, slotsTo] = [slotsFrom[0] as number, slotsFrom.at(-1) as number];
  const [registers, registersTo] = [registersFrom[0] as number, registersFrom.at(-1) as number];
  return {
    channel: window.channel,
    intervalMs: window.intervalMs,
    slotsFrom: slotsFrom.map((each) => each - slots),
    registersFrom: registersFrom.map((each) => each - registers),
    values: window.values.subarray(slots, slotsTo),
    quality: window.quality.subarray(slots, slotsTo),
    unit: window.unit.subarray(slots, slotsTo),
    registerStartMs: window.registerStartMs.subarray(registers, registersTo),
    registerValues: window.registerValues.subarray(registers, registersTo),
    registerQuality: window.registerQuality.subarray(registers, registersTo),
    registerUnit: window.registerUnit.subarray(registers, registersTo),
  };
}
