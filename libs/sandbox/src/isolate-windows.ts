import type { RunFacts, WindowColumns } from './isolate-run.ts';

/** The raw columns of a window's slots, or of its register readings. A gap has the value NaN. */
export interface RawColumns {
  readonly values: Float64Array;
  readonly quality: Uint8Array;
  /** Nobody changes them. */
  readonly changes: undefined;
  readonly unit: Uint16Array;
  /** Of register readings alone: a slot's start follows from its day. */
  readonly startMs: Float64Array | undefined;
  /** Those of day i lie in [from[i], from[i + 1]). */
  readonly from: readonly number[];
  /** 0 for register readings. */
  readonly intervalMs: number;
}

/**
 * The raw columns of a run's windows in the memory that they came in, the widest first, all windows one behind the other
 * in each. Also runs inside the isolate, as text: nothing in it may refer to anything outside but the types.
 */
export function windowColumns(memory: ArrayBufferLike, { windows }: Pick<RunFacts, 'windows'>): WindowColumns[] {
  const counts = windows.map(({ slotsFrom, registersFrom }) => ({
    slots: slotsFrom.at(-1) as number,
    registers: registersFrom.at(-1) as number,
  }));
  let offset = 0;
  const next = (bytes: number): number => {
    offset += bytes;
    return offset - bytes;
  };
  const values = counts.map(({ slots }) => new Float64Array(memory, next(slots * 8), slots));
  const startMs = counts.map(({ registers }) => new Float64Array(memory, next(registers * 8), registers));
  const registerValues = counts.map(({ registers }) => new Float64Array(memory, next(registers * 8), registers));
  const unit = counts.map(({ slots }) => new Uint16Array(memory, next(slots * 2), slots));
  const registerUnit = counts.map(({ registers }) => new Uint16Array(memory, next(registers * 2), registers));
  const quality = counts.map(({ slots }) => new Uint8Array(memory, next(slots), slots));
  const registerQuality = counts.map(({ registers }) => new Uint8Array(memory, next(registers), registers));
  return windows.map(({ slotsFrom, registersFrom, intervalMs }, window) => ({
    slots: {
      values: values[window] as Float64Array,
      quality: quality[window] as Uint8Array,
      unit: unit[window] as Uint16Array,
      changes: undefined,
      startMs: undefined,
      from: slotsFrom,
      intervalMs,
    },
    registers: {
      values: registerValues[window] as Float64Array,
      quality: registerQuality[window] as Uint8Array,
      unit: registerUnit[window] as Uint16Array,
      changes: undefined,
      startMs: startMs[window] as Float64Array,
      from: registersFrom,
      intervalMs: 0,
    },
  }));
}

export function windowBytes(slots: number, registers: number): number {
  return slots * 11 + registers * 19;
}
