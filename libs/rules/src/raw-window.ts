import { missingCode, ReadingCursor, RunsCursor, type ReadingColumns } from '@meterflow/readings';
import type { DayGrid } from './day-grid.ts';
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

/** The raw readings of one channel on the grid of local days. */
export function rawWindow(
  columns: readonly ReadingColumns[],
  { channel, grid, texts }: { channel: string; grid: DayGrid; texts: TextList },
): RawWindow {
  const { slotsFrom, intervalMs } = grid;
  const slots = slotsFrom.at(-1) as number;
  const values = new Float64Array(slots).fill(NaN);
  const quality = new Uint8Array(slots);
  const unit = new Uint16Array(slots);
  const registersFrom = new Uint32Array(slotsFrom.length);
  const registers: { startMs: number; value: number; quality: number; unit: number }[] = [];
  for (const segment of columns) {
    const cursor = new ReadingCursor(segment);
    const units = new RunsCursor(segment.unit);
    const places = Uint16Array.from(segment.texts, (text) => texts.indexOf(text));
    const divisor = 10 ** segment.decimals;
    while (cursor.next()) {
      const code = cursor.qualityCode;
      if (code === missingCode || !grid.find(cursor.startMs, cursor.lengthMs)) {
        continue;
      }
      const { slot, day } = grid;
      const value = cursor.integer / divisor;
      const place = places[units.at(cursor.index)] as number;
      if (slot >= 0) {
        values[slot] = value;
        quality[slot] = code;
        unit[slot] = place;
      } else if (cursor.lengthMs === 0) {
        registers.push({ startMs: cursor.startMs, value, quality: code, unit: place });
        registersFrom[day + 1] = (registersFrom[day + 1] as number) + 1;
      }
    }
  }
  for (let day = 1; day < registersFrom.length; day++) {
    registersFrom[day] = (registersFrom[day] as number) + (registersFrom[day - 1] as number);
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
  const [slots, slotsTo] = [window.slotsFrom[from] as number, window.slotsFrom[to] as number];
  const [registers, registersTo] = [window.registersFrom[from] as number, window.registersFrom[to] as number];
  return {
    channel: window.channel,
    intervalMs: window.intervalMs,
    slotsFrom: less(window.slotsFrom.slice(from, to + 1), slots),
    registersFrom: less(window.registersFrom.slice(from, to + 1), registers),
    values: window.values.subarray(slots, slotsTo),
    quality: window.quality.subarray(slots, slotsTo),
    unit: window.unit.subarray(slots, slotsTo),
    registerStartMs: window.registerStartMs.subarray(registers, registersTo),
    registerValues: window.registerValues.subarray(registers, registersTo),
    registerQuality: window.registerQuality.subarray(registers, registersTo),
    registerUnit: window.registerUnit.subarray(registers, registersTo),
  };
}

function less(places: Uint32Array<ArrayBuffer>, first: number): Uint32Array {
  for (let day = 0; day < places.length; day++) {
    places[day] = (places[day] as number) - first;
  }
  return places;
}
