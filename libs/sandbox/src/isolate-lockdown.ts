/* eslint-disable @typescript-eslint/no-empty-function -- samples of functions, of which only the prototypes matter */
// These functions run inside an isolate, as text, before any rule: nothing in them may refer to anything outside.

/** Compiles a function from text: what the isolate's own code keeps of `Function` after the lockdown. */
export type Compile = (...parametersAndBody: string[]) => (...values: unknown[]) => unknown;

/**
 * Takes away whatever has a clock, chance, a locale, threads, code from text, or memory that outlives a call. Returns
 * the one compiler that is left.
 */
export function takeAway(): Compile {
  const kept =
    ' Object Array Math JSON Number String Boolean BigInt Symbol Map Set WeakMap WeakSet RegExp Date Reflect Error ' +
    'AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError ArrayBuffer DataView Int8Array ' +
    'Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array Float32Array Float64Array ' +
    'BigInt64Array BigUint64Array isNaN isFinite parseInt parseFloat NaN Infinity undefined globalThis ';
  const remove = (target: object, gone: (name: string) => boolean): void => {
    for (const name of Reflect.ownKeys(target)) {
      if (gone(String(name)) && !Reflect.deleteProperty(target, name)) {
        throw new TypeError(`${String(name)} can't be taken away`);
      }
    }
  };
  const compile = Function;
  const RealDate = Date;
  const SafeDate = function (...values: unknown[]): object {
    if ((new.target as unknown) === undefined || values.length === 0) {
      throw new TypeError('a rule has no clock: use reading.startMs');
    }
    return Reflect.construct(RealDate, values, new.target) as object;
  };
  Object.defineProperty(SafeDate, 'name', { value: 'Date' });
  Object.defineProperty(SafeDate, 'prototype', { value: RealDate.prototype });
  Object.assign(SafeDate, { UTC: RealDate.UTC, parse: RealDate.parse });
  Object.defineProperty(RealDate.prototype, 'constructor', { value: SafeDate });
  Object.defineProperty(globalThis, 'Date', { value: SafeDate });

  const samples = [function () {}, async function () {}, function* () {}, async function* () {}];
  const functions = samples.map((sample) => Object.getPrototypeOf(sample) as object);
  functions.forEach((prototype) => {
    remove(prototype, (name) => name === 'constructor' || name === 'caller' || name === 'arguments');
  });
  const typedArray = Object.getPrototypeOf(Int8Array.prototype) as object;
  [
    Object.prototype,
    Array.prototype,
    Number.prototype,
    BigInt.prototype,
    String.prototype,
    RealDate.prototype,
    typedArray,
  ].forEach((prototype) => {
    remove(prototype, (name) => /locale/i.test(name));
  });
  // Made anew, for where a property was taken from an object, the engine looks up all others at each use.
  const lasting = Object.getOwnPropertyDescriptors(Math);
  Reflect.deleteProperty(lasting, 'random');
  Object.defineProperty(globalThis, 'Math', { value: Object.defineProperties({}, lasting) });
  remove(RegExp, (name) => /^(?:\$.*|input|last.*|left.*|right.*)$/.test(name));
  remove(globalThis, (name) => !kept.includes(` ${name} `));
  Error.stackTraceLimit = 4;
  return compile as unknown as Compile;
}

/** Freezes all that is left, so that no call leaves a trace that another could see. */
export function freezeAll(): void {
  // A frozen prototype would make `error.name = …` or `object.toString = …` throw: these stay replaceable on objects.
  const replaceable = (prototype: object): void => {
    for (const name of Reflect.ownKeys(prototype)) {
      const descriptor = Reflect.getOwnPropertyDescriptor(prototype, name);
      const value: unknown = descriptor?.value;
      if (value === undefined || descriptor?.configurable !== true) {
        continue;
      }
      Object.defineProperty(prototype, name, {
        get: () => value,
        set(this: object, replacement: unknown) {
          if (this === prototype) {
            throw new TypeError(`${String(name)} is frozen`);
          }
          const attributes = { writable: true, enumerable: true, configurable: true };
          Object.defineProperty(this, name, { value: replacement, ...attributes });
        },
      });
    }
  };
  [Object, Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].forEach((type) => {
    replaceable(type.prototype);
  });

  const done = new Set<unknown>();
  const freeze = (target: unknown): void => {
    if ((typeof target !== 'object' && typeof target !== 'function') || target === null || done.has(target)) {
      return;
    }
    done.add(target);
    Object.freeze(target);
    freeze(Object.getPrototypeOf(target));
    for (const name of Reflect.ownKeys(target)) {
      Object.values(Reflect.getOwnPropertyDescriptor(target, name) as object).forEach(freeze);
    }
  };
  // What syntax reaches without a name.
  const promised = (async () => {})();
  const functions = [function () {}, async function () {}, function* () {}, async function* () {}];
  const iterators = [
    [][Symbol.iterator](),
    new Map().entries(),
    new Set().values(),
    ''[Symbol.iterator](),
    ''.matchAll(/a/g),
  ];
  [globalThis, promised, ...functions, ...functions.map((sample) => sample.prototype as unknown), ...iterators].forEach(
    freeze,
  );
}
