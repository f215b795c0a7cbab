import type { DayFacts, WindowColumns } from './isolate-day.ts';

/**
 * The raw columns of a day's windows in the memory that came with it, the widest first. Also runs inside the isolate, as
 * text: nothing in it may refer to anything outside but the types.
 */
export function windowColumns(memory: ArrayBuffer, facts: Pick<DayFacts, 'windows'>): WindowColumns {
  const last = facts.windows.at(-1);
  const slots = last?.slotsFrom.at(-1) ?? 0;
  const registers = last?.registersFrom.at(-1) ?? 0;
  let offset = 0;
  const next = (bytes: number): number => {
    offset += bytes;
    return offset - bytes;
  };
  return {
    values: new Float64Array(memory, next(slots * 8), slots),
    registerStartMs: new Float64Array(memory, next(registers * 8), registers),
    registerValues: new Float64Array(memory, next(registers * 8), registers),
    unit: new Uint16Array(memory, next(slots * 2), slots),
    registerUnit: new Uint16Array(memory, next(registers * 2), registers),
    quality: new Uint8Array(memory, next(slots), slots),
    registerQuality: new Uint8Array(memory, next(registers), registers),
  };
}

export function windowBytes(slots: number, registers: number): number {
  return slots * 11 + registers * 19;
}
