import { utcText, type Decimal } from '@meterflow/readings';
import type { LocalClock } from '../local-clock.ts';
import type { RowProblem } from '../row.ts';
import { difference, share } from './amount.ts';
import { shownAfterChange } from './clock-change.ts';
import type { LeftOutCode } from './left-out.ts';
import { mayReset } from './reset-window.ts';
import type { SequenceSettings } from './sequence-settings.ts';
import type { SeriesEnd } from './series-end.ts';

/** A line as it came. Its times are instants, or what clocks showed; then the offsets tell how the two differ. */
export interface SequenceLine extends Decimal {
  /** NaN where only the end is known. */
  readonly startMs: number;
  readonly endMs: number;
  readonly startOffsetMs: number;
  readonly endOffsetMs: number;
  /** Whether its stamps themselves say so, so that the hour that clocks repeat is told apart. */
  readonly tellsOffsets: boolean;
}

export interface SequenceReading extends Decimal {
  readonly startMs: number;
  readonly endMs: number;
}

/** Something about a line that is taken. */
export interface SequenceRemark {
  readonly code: string;
  readonly reason: string;
}

/** What becomes of a line: readings, or a problem; and where the series has come to then, in either case. */
export interface SequenceOutcome {
  readonly end: SeriesEnd | undefined;
  readonly readings: readonly SequenceReading[];
  readonly problem?: RowProblem;
  readonly remarks: readonly SequenceRemark[];
}

/** How lines are read: the mapping's settings, the zone whose clocks change, and that of the times of day of a reset. */
export interface SequenceRules {
  readonly settings: SequenceSettings;
  /** Undefined where changes of clocks are not evened. */
  readonly evened: LocalClock | undefined;
  /** A time of the line on the clocks by which counters reset. */
  readonly localMs: (ms: number) => number;
}

/** A line with its start, whose end stands as if no clock had changed within it. */
interface Placed {
  readonly startMs: number;
  readonly endMs: number;
  /** What the clocks went back by within it; negative where they went forward. */
  readonly shiftMs: number;
  /** What the clocks show when they have gone forward within it. */
  readonly skippedUntilMs?: number;
  /** The end of what was there before, where it lies within or reaches out of an hour that the clocks repeat. */
  readonly repeatsUntilMs?: number;
}

/** What came before a line, and how lines are read. */
interface Course {
  readonly before: SeriesEnd | undefined;
  readonly rules: SequenceRules;
}

type Verdict = { readonly amount: Decimal } | { readonly problem: RowProblem };

/** One line of a series after those before it. Pure: the same lines from the same end on give the same readings. */
export function sequenceStep(line: SequenceLine, before: SeriesEnd | undefined, rules: SequenceRules): SequenceOutcome {
  return saysNothing(line, before, rules.settings) ?? following(line, before, rules);
}

/** What becomes of a line that says nothing whatever it follows; undefined for any other. */
function saysNothing(
  line: SequenceLine,
  before: SeriesEnd | undefined,
  { cumulative, stamps }: SequenceSettings,
): SequenceOutcome | undefined {
  const [isCumulative, isEndOnly] = [cumulative !== undefined, stamps === 'end-only'];
  if (isCumulative && line.integer < 0) {
    // It does not tell where the counter stands: the series stays where it was, also for what comes next.
    const problem: RowProblem = { field: 'value', code: 'negative-counter', reason: 'a counter does not go below 0' };
    return { end: before, readings: [], remarks: [], problem };
  }
  return before === undefined && (isEndOnly || isCumulative) ? leftFirst(line, isEndOnly, isCumulative) : undefined;
}

function following(line: SequenceLine, before: SeriesEnd | undefined, rules: SequenceRules): SequenceOutcome {
  const { settings } = rules;
  const isEndOnly = settings.stamps === 'end-only';
  const started =
    isEndOnly && before !== undefined ? { ...line, startMs: before.endMs, startOffsetMs: before.endOffsetMs } : line;
  const placed = placedOf(started, before, rules);
  if ('code' in placed) {
    return outcome(line, { problem: placed, startMs: started.startMs, lengthMs: line.endMs - started.startMs });
  }
  const { startMs, endMs, shiftMs, repeatsUntilMs } = placed;
  if (repeatsUntilMs !== undefined && line.endMs <= repeatsUntilMs) {
    const lengthMs = endMs - startMs + Math.max(0, shiftMs);
    const problem = leftOut('repeated-hour', `lies in an hour that the clocks of ${zoneText(settings)} show twice`);
    return outcome(line, { problem, startMs, lengthMs, repeatsUntilMs });
  }
  const verdict = verdictOf(line, placed, { before, rules });
  if ('problem' in verdict) {
    return outcome(line, { problem: verdict.problem, startMs, lengthMs: endMs - startMs });
  }
  const readings = readingsOf(line, placed, verdict.amount);
  return readings === undefined
    ? outcome(line, { problem: tooLarge, startMs, lengthMs: endMs - startMs })
    : {
        ...outcome(line, { startMs, lengthMs: endMs - startMs }),
        readings,
        remarks: remarksOf(placed, before, settings),
      };
}

function outcome(
  { endMs, endOffsetMs, integer, decimals }: SequenceLine,
  rest: {
    readonly problem?: RowProblem;
    readonly startMs: number;
    readonly lengthMs?: number;
    readonly repeatsUntilMs?: number;
  },
): SequenceOutcome {
  const { problem, lengthMs, repeatsUntilMs } = rest;
  const end = {
    endMs,
    endOffsetMs,
    integer,
    decimals,
    ...(lengthMs === undefined ? {} : { lengthMs }),
    ...(repeatsUntilMs === undefined ? {} : { repeatsUntilMs }),
  };
  return { end, readings: [], remarks: [], ...(problem === undefined ? {} : { problem }) };
}

function leftFirst(line: SequenceLine, isEndOnly: boolean, isCumulative: boolean): SequenceOutcome {
  const problem = isCumulative
    ? leftOut('first-of-counter', 'is the first of a counter: what it rose by is not known')
    : leftOut('first-end', 'is the first of a series whose lines tell no start');
  return outcome(line, {
    problem,
    startMs: line.startMs,
    ...(isEndOnly ? {} : { lengthMs: line.endMs - line.startMs }),
  });
}

/** Where a line stands, and what changes of clocks do to it. */
function placedOf(line: SequenceLine, before: SeriesEnd | undefined, rules: SequenceRules): Placed | RowProblem {
  const { startMs, endMs, startOffsetMs, endOffsetMs, tellsOffsets } = line;
  const shiftMs = rules.evened === undefined ? 0 : startOffsetMs - endOffsetMs;
  if (rules.evened !== undefined && shiftMs < 0) {
    return placedForward(line, rules.evened, rules.settings);
  }
  if (rules.evened === undefined || !tellsOffsets) {
    return { startMs, endMs, shiftMs: 0 };
  }
  const repeatsUntilMs = shiftMs > 0 ? (before?.endMs ?? startMs) : before?.repeatsUntilMs;
  return { startMs, endMs, shiftMs, ...(repeatsUntilMs === undefined ? {} : { repeatsUntilMs }) };
}

/** The same where clocks go forward within it. */
function placedForward(line: SequenceLine, clock: LocalClock, settings: SequenceSettings): Placed | RowProblem {
  const { startMs, endMs, startOffsetMs, endOffsetMs } = line;
  const shiftMs = startOffsetMs - endOffsetMs;
  const skippedUntilMs = shownAfterChange(clock, startMs - startOffsetMs, endMs - endOffsetMs);
  if (skippedUntilMs === undefined) {
    const reason = `its offsets differ, and the clocks of ${zoneText(settings)} do not change within it`;
    return { field: 'time', code: 'invalid-time', reason };
  }
  const isWithin = endMs + shiftMs < skippedUntilMs;
  return { startMs, endMs: isWithin ? endMs + shiftMs : endMs, shiftMs, skippedUntilMs };
}

/** What a line's reading amounts to, or why it has none. */
function verdictOf(line: SequenceLine, { startMs, endMs }: Placed, { before, rules }: Course): Verdict {
  const { cumulative, gapMsMax } = rules.settings;
  if (endMs <= startMs) {
    return { problem: leftOut('no-time-passed', `ends at ${utcText(endMs)}, not after its start`) };
  }
  if (cumulative === undefined || before === undefined) {
    return { amount: valueOf(line) };
  }
  if (startMs < before.endMs) {
    const reason = `starts before the end of the one before it (${utcText(before.endMs)})`;
    return { problem: leftOut('before-previous-end', `${reason}: what the counter rose by is not known`) };
  }
  if (startMs - before.endMs > gapMsMax) {
    const reason = `starts ${(startMs - before.endMs) / 1_000} s after the end of the one before it`;
    return { problem: leftOut('gap-in-counter', `${reason}: what the counter rose by in the gap is not known`) };
  }
  return risen(line, startMs, { before, rules });
}

function valueOf({ integer, decimals }: Decimal): Decimal {
  return { integer, decimals };
}

function risen(
  line: SequenceLine,
  startMs: number,
  { before, rules }: Course & { readonly before: SeriesEnd },
): Verdict {
  const reset = rules.settings.cumulative?.reset ?? 'never';
  const amount = difference(line, before);
  if (amount === undefined) {
    return { problem: tooLarge };
  }
  if (amount.integer >= 0) {
    return { amount };
  }
  return mayReset(reset, rules.localMs(startMs))
    ? { amount: valueOf(line) }
    : {
        problem: { field: 'value', code: 'counter-went-back', reason: 'the counter goes back where it may not reset' },
      };
}

/** The amount over the time that the clocks show once. Undefined where no value holds a part of it. */
function readingsOf(line: SequenceLine, placed: Placed, amount: Decimal): readonly SequenceReading[] | undefined {
  const { startMs, endMs, shiftMs, skippedUntilMs, repeatsUntilMs } = placed;
  const spans =
    skippedUntilMs === undefined
      ? [{ startMs: Math.max(startMs, repeatsUntilMs ?? startMs), endMs }]
      : [
          { startMs, endMs: skippedUntilMs + shiftMs },
          { startMs: skippedUntilMs, endMs: line.endMs },
        ].filter((span) => span.endMs > span.startMs);
  const wholeMs = line.endMs + shiftMs - startMs;
  const readings = spans.map((span) => ({ ...span, ...share(amount, span.endMs - span.startMs, wholeMs) }));
  const last = readings[1];
  if (last !== undefined) {
    // What is rounded off the first part belongs to the second: together they are the amount.
    Object.assign(last, difference(amount, readings[0] as Decimal));
  }
  return readings.every((reading): reading is SequenceReading => 'integer' in reading) ? readings : undefined;
}

function remarksOf(
  { startMs, endMs, skippedUntilMs, repeatsUntilMs }: Placed,
  before: SeriesEnd | undefined,
  { gapMsMax, lengthVariationMsMax, wallClock }: SequenceSettings,
): readonly SequenceRemark[] {
  const remarks: SequenceRemark[] = [];
  const note = (code: string, reason: string): number => remarks.push({ code, reason });
  if (skippedUntilMs !== undefined || repeatsUntilMs !== undefined) {
    note('clocks-changed', `is fitted to the change of the clocks of ${wallClock?.zone ?? ''} by time`);
  }
  if (before !== undefined) {
    const gapMs = startMs - before.endMs;
    const lengthMs = endMs - startMs;
    if (gapMs < 0) {
      note('out-of-order', `starts before the end of the one before it (${utcText(before.endMs)})`);
    } else if (gapMs > gapMsMax) {
      note('late-start', `starts ${gapMs / 1_000} s after the end of the one before it`);
    }
    if (Math.abs(lengthMs - (before.lengthMs ?? lengthMs)) > lengthVariationMsMax) {
      note('length-varies', `is ${lengthMs / 1_000} s long, the one before it ${(before.lengthMs ?? 0) / 1_000} s`);
    }
  }
  return remarks;
}

const tooLarge: RowProblem = {
  field: 'value',
  code: 'value-too-large',
  reason: 'what the value rose by has more digits than a value holds',
};

function leftOut(code: LeftOutCode, reason: string): RowProblem {
  return { field: 'line', code, reason };
}

function zoneText({ wallClock }: SequenceSettings): string {
  return wallClock?.zone ?? 'the source';
}
