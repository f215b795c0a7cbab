/**
 * A part of all meters, by the points at which they lie in [0, 1): those in [from, to). A share that grows keeps the
 * meters it had.
 */
export interface MeterShare {
  readonly from: number;
  readonly to: number;
}

export const allMeters: MeterShare = { from: 0, to: 1 };

/**
 * Where a meter lies in [0, 1), for ever: FNV-1a over its name, mixed so that names which follow each other lie anywhere.
 * The sandbox has a copy of it, held to this one by a test.
 */
export function meterPoint(meter: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < meter.length; index++) {
    hash = Math.imul(hash ^ meter.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

export function hasMeter({ from, to }: MeterShare, meter: string): boolean {
  const point = meterPoint(meter);
  return from <= point && point < to;
}
