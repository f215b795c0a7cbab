import type { BatchCursor } from './isolate-cursor.ts';
import type { DayNeeds } from './isolate-run.ts';
import type { Compile } from './isolate-lockdown.ts';
import type { ReadingState } from './isolate-memory.ts';
import type { Reading } from './isolate-reading.ts';

/** One step as the host hands it over. `body` calls `defineRule` once. */
export interface StepSource {
  readonly body: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly channels: string;
  /** There for a rule with `onSeries`. */
  readonly series?: DayNeeds;
  readonly severity?: 'info' | 'issue' | 'terminate';
  /** The meters that lie in [from, to) of [0, 1); all where absent. */
  readonly share?: { readonly from: number; readonly to: number };
}

export interface RuleDefinition {
  readonly onReading: (reading: Reading, context: RuleContext) => unknown;
}

export interface SeriesRuleDefinition {
  readonly onSeries: (day: object, context: RuleContext & { readonly tags: object }) => unknown;
}

export interface RuleContext {
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** A step loaded in the isolate. `instantiate` evaluates the rule anew: what it keeps between calls ends with the batch. */
export interface LoadedStep {
  readonly index: number;
  /** Whether it runs on a series, by the names of its meter and its channel; undefined where it runs on all. */
  readonly takes: ((meter: string, channel: string) => boolean) | undefined;
  readonly context: RuleContext;
  /** A failure leaves the step out for the reading: what it did to it is undone. */
  readonly severity: 'info' | 'issue' | 'terminate';
  readonly series: DayNeeds | undefined;
  instantiate(): RuleDefinition['onReading'];
  instantiateSeries(): SeriesRuleDefinition['onSeries'];
}

interface DeclaredParameter {
  readonly type: string;
  readonly default?: unknown;
  readonly min?: number;
  readonly max?: number;
}

/** Runs inside the isolate, as text: nothing in it may refer to anything outside but the types. Throws what is wrong. */
export function loadStep(compile: Compile, source: StepSource, index: number): LoadedStep {
  const evaluate = compile('defineRule', `'use strict';\n${source.body}\n//# sourceURL=<rule>`);
  const define = (): Record<string, unknown> => {
    const definitions: Record<string, unknown>[] = [];
    evaluate((definition: Record<string, unknown>) => {
      definitions.push(definition);
      return definition;
    });
    const [definition] = definitions;
    const called = source.series === undefined ? 'onReading' : 'onSeries';
    if (definitions.length !== 1 || typeof definition?.[called] !== 'function') {
      throw new TypeError(`a rule calls defineRule({ name, ${called}(…) { … } }) once`);
    }
    return definition;
  };
  const checked = (name: string, given: unknown, declared: DeclaredParameter | undefined): unknown => {
    if (declared === undefined) {
      throw new TypeError(`parameter ${name} is not one of this rule`);
    }
    const value = given ?? declared.default;
    if (typeof value !== declared.type || Number.isNaN(value)) {
      throw new TypeError(`parameter ${name} ${value === undefined ? 'is missing' : `must be a ${declared.type}`}`);
    }
    const { min = -Number.MAX_VALUE, max = Number.MAX_VALUE } = declared;
    if (typeof value === 'number' && !(value >= min && value <= max)) {
      throw new TypeError(`parameter ${name} must lie between ${min} and ${max}`);
    }
    return value;
  };

  const declared = (define()['parameters'] ?? {}) as Readonly<Record<string, DeclaredParameter>>;
  const names = new Set([...Object.keys(declared), ...Object.keys(source.parameters)]);
  const parameters: Record<string, unknown> = {};
  names.forEach((name) => {
    const declaration = Object.hasOwn(declared, name) ? declared[name] : undefined;
    const value = checked(name, source.parameters[name], declaration);
    Object.defineProperty(parameters, name, { value, enumerable: true });
  });
  const pattern = source.channels.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
  const channels = new RegExp(`^${pattern}$`, 'u');
  const { share } = source;
  // A copy of meterPoint in libs/rules: an isolate refers to nothing outside.
  const isIn = ({ from, to }: { readonly from: number; readonly to: number }, meter: string): boolean => {
    let hash = 0x811c9dc5;
    for (let at = 0; at < meter.length; at++) {
      hash = Math.imul(hash ^ meter.charCodeAt(at), 0x01000193);
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    const point = ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
    return from <= point && point < to;
  };
  return {
    index,
    takes:
      source.channels === '*' && share === undefined
        ? undefined
        : (meter, channel) => channels.test(channel) && (share === undefined || isIn(share, meter)),
    context: Object.freeze({ parameters: Object.freeze(parameters) }),
    severity: source.severity ?? 'terminate',
    series: source.series,
    instantiate: () => define()['onReading'] as RuleDefinition['onReading'],
    instantiateSeries: () => define()['onSeries'] as SeriesRuleDefinition['onSeries'],
  };
}

/** The part of a batch that a walk goes over: spans, and the first reading of the first of them. */
export interface WalkRange {
  readonly fromSpan: number;
  readonly toSpan: number;
  /** Index of the first reading of `fromSpan`. */
  readonly first: number;
  /** Readings before this are left out. */
  readonly fromIndex: number;
}

/**
 * Takes one rule over readings, in the isolate, as text. Each step has a compilation of its own, so that the engine
 * sees one callee in the loop and inlines it.
 */
export function walk(
  step: LoadedStep,
  run: {
    readonly cursor: BatchCursor;
    readonly reading: Reading;
    readonly ReadingState: new (cursor: BatchCursor, index: number) => ReadingState;
  },
  range: WalkRange,
): void {
  const { cursor, reading } = run;
  const { changes, quality, count } = cursor;
  const { takes, context, index: stepIndex, severity } = step;
  const isSoft = severity !== 'terminate';
  const onReading = step.instantiate();
  let end = range.first;
  for (let span = range.fromSpan; span < range.toSpan; span++) {
    cursor.span = span;
    cursor.first = end;
    let index = Math.max(end, range.fromIndex);
    end += count[span] as number;
    if (takes !== undefined) {
      const at = (cursor.series[span] as number) * 2;
      if (!takes(cursor.names()[at] as string, cursor.names()[at + 1] as string)) {
        continue;
      }
    }
    for (; index < end; index++) {
      // Neither what an earlier rule rejected or failed on, nor what has no value.
      if ((changes[index] as number) >= 32 || quality[index] === 4) {
        continue;
      }
      cursor.index = index;
      const before = isSoft ? new run.ReadingState(cursor, index) : undefined;
      try {
        if (onReading(reading, context) !== undefined) {
          throw cursor.nonsense("onReading must return nothing: change the reading itself (and it can't be async)");
        }
      } catch (error) {
        before?.restore(cursor);
        cursor.index = index;
        cursor.fail(stepIndex, error, severity);
      }
    }
  }
  cursor.index = -1;
}
