// What a register (a counter that only goes up) counted between two readings of it. It stands alone, without imports, since
// stock rules carry it into the sandbox: `register-difference` makes readings of it, and the sum check and the scaling to the
// register call it for one difference over a day (docs/adr/0016-stock-rules.md).

/** What is known of a counter. */
export interface RegisterFacts {
  /** Digits before the decimal point: at 10 to this power it starts at 0 again. 0: not known, so it can't roll over. */
  readonly dials: number;
  /** Decimals that it counts with: differences are exact in them. */
  readonly decimals: number;
  /** The most that it can count in an hour; a rollover that would be more is a reset. 0: half of all it can show, in any time. */
  readonly hourlyMax: number;
  /** When another device took its place, in order. */
  readonly exchanges: readonly RegisterExchange[];
}

export interface RegisterExchange {
  readonly atMs: number;
  /** What the old device showed when it was taken away, and the new one when it was put in. Not a number: not known. */
  readonly oldEnd: number;
  readonly newStart: number;
}

/**
 * How a difference came about: counted on; past the last number to 0; begun at 0 anew in between (what it counted before
 * that is lost, so the difference is a lower bound); over an exchange; over an exchange of which no readings are known,
 * so that there is none.
 */
export const registerSteps = ['counted', 'rolled-over', 'reset', 'exchanged', 'unknown'] as const;
export type RegisterStep = (typeof registerSteps)[number];

/** The two readings that a difference lies between. */
export interface RegisterSpan {
  readonly fromMs: number;
  readonly from: number;
  readonly toMs: number;
  readonly to: number;
}

/** One difference; the same object may be filled again and again. `value` is not a number for the step `unknown`. */
export interface RegisterDifference {
  value: number;
  step: RegisterStep;
}

const hourMs = 3_600_000;

/**
 * Fills `into` with what a counter counted between two readings. Summed over successive readings without resets, the
 * differences are the last less the first, exactly, plus what rollovers and exchanges account for.
 */
export function registerDifference(span: RegisterSpan, facts: RegisterFacts, into: RegisterDifference): void {
  const scale = 10 ** facts.decimals;
  let shown = Math.round(span.from * scale);
  let sinceMs = span.fromMs;
  let sum = 0;
  let step: RegisterStep = 'counted';
  for (const { atMs, oldEnd, newStart } of facts.exchanges) {
    if (atMs <= span.fromMs || atMs > span.toMs) {
      continue;
    }
    if (Number.isNaN(oldEnd) || Number.isNaN(newStart)) {
      into.value = Number.NaN;
      into.step = 'unknown';
      return;
    }
    into.value = Math.round(oldEnd * scale);
    step = countOn({ shown, sinceMs, untilMs: atMs }, facts, into) === 'reset' ? 'reset' : step;
    sum += into.value;
    shown = Math.round(newStart * scale);
    sinceMs = atMs;
    step = step === 'reset' ? step : 'exchanged';
  }
  into.value = Math.round(span.to * scale);
  const last = countOn({ shown, sinceMs, untilMs: span.toMs }, facts, into);
  into.value = (sum + into.value) / scale;
  into.step = last === 'reset' || step === 'counted' ? last : step;
}

/** Turns what the counter shows (`into.value`, scaled) into what it counted since `shown`. */
function countOn(
  { shown, sinceMs, untilMs }: { readonly shown: number; readonly sinceMs: number; readonly untilMs: number },
  { dials, decimals, hourlyMax }: RegisterFacts,
  into: RegisterDifference,
): RegisterStep {
  if (into.value >= shown) {
    into.value -= shown;
    return 'counted';
  }
  const round = 10 ** (dials + decimals);
  const over = round - shown + into.value;
  const most = hourlyMax > 0 ? ((hourlyMax * (untilMs - sinceMs)) / hourMs) * 10 ** decimals : round / 2;
  if (dials > 0 && shown < round && over <= most) {
    into.value = over;
    return 'rolled-over';
  }
  return 'reset';
}
