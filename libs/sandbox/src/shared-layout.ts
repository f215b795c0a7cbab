/** The columns of one batch in the memory that an isolate shares with its child process. */
export interface SharedColumns {
  readonly values: Float64Array;
  readonly changes: Uint8Array;
  /** The same bytes, four at a time. */
  readonly changeWords: Uint32Array;
  readonly quality: Uint8Array;
  readonly unit: Uint16Array;
  readonly code: Uint16Array;
  readonly method: Uint16Array;
  readonly reason: Uint16Array;
  readonly startMs: Float64Array;
  readonly stepMs: Uint32Array;
  readonly lengthMs: Uint32Array;
  readonly count: Uint32Array;
  readonly series: Uint32Array;
  /** See {@link control}. */
  readonly control: Uint32Array;
}

/**
 * Places in the control column. The host writes spans, readings and the steps to run (up to `toStep`); the isolate
 * writes the step that it is in, whether that one did what no rule may (it has a memory, or sets too many texts), `any` and, last, `done`: whatever else a call throws after that (a promise that a rule left behind) is void.
 */
export const control = {
  spans: 0,
  readings: 1,
  fromStep: 2,
  toStep: 3,
  done: 4,
  any: 5,
  step: 6,
  nonsense: 7,
  /** How many readings follow those of a day: what its rules emitted. */
  emitted: 8,
  /** The days of a run want more together than one may: they are to be run one by one. */
  apart: 9,
  /** How many days failed as a whole. */
  failedDays: 10,
} as const;
const controlWords = 16;
/** Beside the bits of `changes` in `any`: a rule wants the names, nothing else counts. */
export const namesWantedBit = 256;

export function sharedBytes(capacity: number): number {
  return capacity * (8 + 1 + 1 + 4 * 2 + 8 + 4 * 4) + controlWords * 4;
}

/** Also runs inside the isolate, as text: nothing in it may refer to anything outside. */
export function sharedColumns(memory: SharedArrayBuffer, capacity: number): SharedColumns {
  let offset = 0;
  const next = (bytes: number): number => {
    offset += bytes * capacity;
    return offset - bytes * capacity;
  };
  // The widest columns come first, so that each begins where its elements want to.
  const wide = {
    values: new Float64Array(memory, next(8), capacity),
    startMs: new Float64Array(memory, next(8), capacity),
    stepMs: new Uint32Array(memory, next(4), capacity),
    lengthMs: new Uint32Array(memory, next(4), capacity),
    count: new Uint32Array(memory, next(4), capacity),
    series: new Uint32Array(memory, next(4), capacity),
    unit: new Uint16Array(memory, next(2), capacity),
    code: new Uint16Array(memory, next(2), capacity),
    method: new Uint16Array(memory, next(2), capacity),
    reason: new Uint16Array(memory, next(2), capacity),
  };
  const changes = new Uint8Array(memory, next(1), capacity);
  return {
    ...wide,
    changes,
    changeWords: new Uint32Array(memory, changes.byteOffset, Math.floor(capacity / 4)),
    quality: new Uint8Array(memory, next(1), capacity),
    control: new Uint32Array(memory, memory.byteLength - 64, 16),
  };
}
