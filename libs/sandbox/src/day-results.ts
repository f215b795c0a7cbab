import {
  nothingEmitted,
  type DayResult,
  type RuleFailureError,
  type SeriesResult,
  type SeriesRun,
} from '@meterflow/rules';

type Column = Float64Array | Uint16Array | Uint8Array;

/** What each of a run's days gave, as if it had been run alone. `whole` is of all of them; `failed` by their places. */
export function dayResults(
  { batch, days, startMs }: SeriesRun,
  whole: SeriesResult,
  failed: ReadonlyMap<number, RuleFailureError>,
): readonly DayResult[] {
  if (days.length === 1) {
    return [failed.get(0) ?? whole];
  }
  const count = batch.columns.values.length;
  const isUnchanged = whole.any === 0 && whole.failures.length === 0;
  const unchanged = new Map<number, SeriesResult>();
  let to = 0;
  return days.map(({ day, slots, registers }, place) => {
    const from = to;
    to += slots + registers;
    const failure = failed.get(place);
    if (failure !== undefined) {
      return failure;
    }
    if (isUnchanged) {
      // As most days are: days as long as each other share a result of nothing.
      const nothing = unchanged.get(to - from) ?? cutOf(whole, from, to);
      unchanged.set(to - from, nothing);
      return nothing;
    }
    const made = madeWithin(whole, startMs[day] as number, startMs[day + 1] as number);
    const cut = <Of extends Column>(column: Of): Of =>
      joined(
        column.subarray(from, to) as Of,
        made.map((index) => column[count + index] as number),
      );
    const changes = cut(whole.changes);
    return {
      any: whole.any === 0 ? 0 : allBits(changes),
      changes,
      values: cut(whole.values),
      quality: cut(whole.quality),
      unit: cut(whole.unit),
      method: cut(whole.method),
      reason: cut(whole.reason),
      texts: whole.texts,
      failures: whole.failures.flatMap((failure) =>
        failure.index >= from && failure.index < to ? [{ ...failure, index: failure.index - from }] : [],
      ),
      emitted: made.length === 0 ? nothingEmitted : pickedEmissions(whole, made),
    };
  });
}

/** The part [from, to) of a result in which no rule did anything. */
function cutOf(whole: SeriesResult, from: number, to: number): SeriesResult {
  return {
    ...whole,
    changes: whole.changes.subarray(from, to),
    values: whole.values.subarray(from, to),
    quality: whole.quality.subarray(from, to),
    unit: whole.unit.subarray(from, to),
    method: whole.method.subarray(from, to),
    reason: whole.reason.subarray(from, to),
  };
}

/** Which of the emitted readings start in [fromMs, toMs). */
function madeWithin({ emitted: { startMs } }: SeriesResult, fromMs: number, toMs: number): readonly number[] {
  const made: number[] = [];
  startMs.forEach((each, index) => {
    if (each >= fromMs && each < toMs) {
      made.push(index);
    }
  });
  return made;
}

function pickedEmissions({ emitted }: SeriesResult, made: readonly number[]): SeriesResult['emitted'] {
  return {
    channel: Uint32Array.from(made, (index) => emitted.channel[index] as number),
    startMs: Float64Array.from(made, (index) => emitted.startMs[index] as number),
    lengthMs: Uint32Array.from(made, (index) => emitted.lengthMs[index] as number),
  };
}

function joined<Of extends Column>(own: Of, made: readonly number[]): Of {
  if (made.length === 0) {
    return own;
  }
  const both = new (own.constructor as new (length: number) => Of)(own.length + made.length);
  both.set(own);
  both.set(made, own.length);
  return both;
}

function allBits(changes: Uint8Array): number {
  let any = 0;
  for (const bits of changes) {
    any |= bits;
  }
  return any;
}
