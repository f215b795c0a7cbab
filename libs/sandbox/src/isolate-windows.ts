import type { ToldFacts, WindowColumns } from './isolate-run.ts';

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
  readonly from: Uint32Array;
  /** 0 for register readings. */
  readonly intervalMs: number;
}

/** Of a day that is run: which local day it is, its slots, its register readings, its spans, and the place of its tags. */
export const wordsPerDay = 5;

/** All columns of a run that are not its batch's. */
export interface RunColumns {
  readonly startMs: Float64Array;
  readonly days: Uint32Array;
  readonly windows: WindowColumns[];
}

/**
 * The columns of a run in the memory that they came in, the widest first, all windows one behind the other in each. Also
 * runs inside the isolate, as text: nothing in it may refer to anything outside but the types.
 */
export function runColumns(
  memory: ArrayBufferLike,
  { localDays, runDays, windows }: Pick<ToldFacts, 'localDays' | 'runDays' | 'windows'>,
  from = 0,
): RunColumns {
  let offset = from;
  const wide = (length: number): Float64Array => {
    offset += length * 8;
    return new Float64Array(memory, offset - length * 8, length);
  };
  const words = (length: number): Uint32Array => {
    offset += length * 4;
    return new Uint32Array(memory, offset - length * 4, length);
  };
  const halves = (length: number): Uint16Array => {
    offset += length * 2;
    return new Uint16Array(memory, offset - length * 2, length);
  };
  const bytes = (length: number): Uint8Array => {
    offset += length;
    return new Uint8Array(memory, offset - length, length);
  };
  const startMs = wide(localDays + 1);
  const values = windows.map(({ slots }) => wide(slots));
  const registerStartMs = windows.map(({ registers }) => wide(registers));
  const registerValues = windows.map(({ registers }) => wide(registers));
  const days = words(runDays * 5);
  const slotsFrom = windows.map(() => words(localDays + 1));
  const registersFrom = windows.map(() => words(localDays + 1));
  const unit = windows.map(({ slots }) => halves(slots));
  const registerUnit = windows.map(({ registers }) => halves(registers));
  const quality = windows.map(({ slots }) => bytes(slots));
  const registerQuality = windows.map(({ registers }) => bytes(registers));
  return {
    startMs,
    days,
    windows: windows.map(({ intervalMs }, window) => ({
      slots: {
        values: values[window] as Float64Array,
        quality: quality[window] as Uint8Array,
        unit: unit[window] as Uint16Array,
        changes: undefined,
        startMs: undefined,
        from: slotsFrom[window] as Uint32Array,
        intervalMs,
      },
      registers: {
        values: registerValues[window] as Float64Array,
        quality: registerQuality[window] as Uint8Array,
        unit: registerUnit[window] as Uint16Array,
        changes: undefined,
        startMs: registerStartMs[window] as Float64Array,
        from: registersFrom[window] as Uint32Array,
        intervalMs: 0,
      },
    })),
  };
}

export function runColumnsBytes({
  localDays,
  runDays,
  windows,
}: Pick<ToldFacts, 'localDays' | 'runDays' | 'windows'>): number {
  let bytes = (localDays + 1) * 8 + runDays * wordsPerDay * 4;
  for (const { slots, registers } of windows) {
    bytes += slots * 11 + registers * 19 + (localDays + 1) * 8;
  }
  return bytes;
}
