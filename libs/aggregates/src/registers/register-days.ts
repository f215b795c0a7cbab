import { calendarOf, dayMs, type Calendar } from '../calendar.ts';
import type { MsSpan } from '../month-sheets.ts';
import type { DayKind, RegisterPeriod, RegisterPlan, RegisterSwitch } from './register-plan.ts';

/** Where no register counts. */
export const noRegister = -1;

/** Part of a day that one register takes. */
export interface RegisterPiece extends MsSpan {
  /** Index into the plan's registers, or {@link noRegister}. */
  readonly register: number;
}

/** Days whose pieces are remembered, of one plan in one zone. */
const daysRememberedMax = 20_000;
const zonesRememberedMax = 1_000;

/**
 * The days of a plan in one time zone, cut into the pieces that registers take. What the clock shows counts: of an hour
 * that it shows twice, both belong to the same register. Pieces are worked out once a day, never for a reading.
 */
export class RegisterDays {
  readonly plan: RegisterPlan;
  readonly calendar: Calendar;
  #pieces = new Map<number, readonly RegisterPiece[]>();

  constructor(plan: RegisterPlan, timeZone: string) {
    this.plan = plan;
    this.calendar = calendarOf(timeZone, plan.dayStartsAtMs);
  }

  /** The pieces of a day, one after the other without gap; none of a day that the zone left out. */
  pieces(day: number): readonly RegisterPiece[] {
    let pieces = this.#pieces.get(day);
    if (pieces === undefined) {
      pieces = this.#cut(day);
      if (this.#pieces.size >= daysRememberedMax) {
        this.#pieces.clear();
      }
      this.#pieces.set(day, pieces);
    }
    return pieces;
  }

  /** The parts of a span that a register takes. */
  covered(register: number, { fromMs, toMs }: MsSpan): readonly MsSpan[] {
    if (this.plan.periods.length === 0) {
      return register === 0 ? [{ fromMs, toMs }] : [];
    }
    const parts: MsSpan[] = [];
    const last = this.calendar.dayOf(toMs - 1);
    for (let day = this.calendar.dayOf(fromMs); day <= last; day++) {
      for (const piece of this.pieces(day)) {
        const part = { fromMs: Math.max(fromMs, piece.fromMs), toMs: Math.min(toMs, piece.toMs) };
        if (piece.register === register && part.fromMs < part.toMs) {
          parts.push(part);
        }
      }
    }
    return parts;
  }

  #cut(day: number): readonly RegisterPiece[] {
    const span = { fromMs: this.calendar.dayStartMs(day), toMs: this.calendar.dayStartMs(day + 1) };
    if (span.fromMs === span.toMs) {
      return [];
    }
    const { periods, holidays } = this.plan;
    if (periods.length === 0) {
      return [{ ...span, register: 0 }];
    }
    const period = periods.findLast(({ fromDay }) => fromDay <= day);
    if (period === undefined) {
      return [{ ...span, register: noRegister }];
    }
    const switches = switchesOf(period, day, holidays);
    return joined(stretchesOf(this.calendar, span).flatMap((stretch) => cutStretch(stretch, switches, day)));
  }
}

const known = new WeakMap<RegisterPlan, Map<string, RegisterDays>>();

/** The days of a plan in a zone, made once. Throws UnknownTimeZoneError. */
export function registerDaysOf(plan: RegisterPlan, timeZone: string): RegisterDays {
  let zones = known.get(plan);
  if (zones === undefined || zones.size >= zonesRememberedMax) {
    zones = new Map();
    known.set(plan, zones);
  }
  let days = zones.get(timeZone);
  if (days === undefined) {
    days = new RegisterDays(plan, timeZone);
    zones.set(timeZone, days);
  }
  return days;
}

function switchesOf(
  { switches }: RegisterPeriod,
  day: number,
  holidays: ReadonlySet<number>,
): readonly RegisterSwitch[] {
  return switches[holidays.has(day) ? 'holiday' : kindOf(day)];
}

function kindOf(day: number): DayKind {
  const weekday = new Date(day * dayMs).getUTCDay();
  return weekday === 0 ? 'sunday' : weekday === 6 ? 'saturday' : 'weekday';
}

/** Part of a day in which the clock is not changed. */
interface Stretch extends MsSpan {
  readonly offsetMs: number;
}

/** No zone changes its clock twice a day. */
function stretchesOf(calendar: Calendar, { fromMs, toMs }: MsSpan): readonly Stretch[] {
  const [before, after] = [calendar.offsetMs(fromMs), calendar.offsetMs(toMs - 1)];
  if (before === after) {
    return [{ fromMs, toMs, offsetMs: before }];
  }
  let [low, high] = [fromMs, toMs - 1];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (calendar.offsetMs(middle) === before) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return [
    { fromMs, toMs: high, offsetMs: before },
    { fromMs: high, toMs, offsetMs: after },
  ];
}

function cutStretch(
  { fromMs, toMs, offsetMs }: Stretch,
  switches: readonly RegisterSwitch[],
  day: number,
): RegisterPiece[] {
  const midnightMs = day * dayMs - offsetMs;
  return switches.flatMap(({ atMs, register }, index) => {
    const next = switches[index + 1];
    const piece = {
      // The first switch is at midnight; where the clock shows the end of the day before, it counts too.
      fromMs: index === 0 ? fromMs : Math.max(fromMs, midnightMs + atMs),
      toMs: next === undefined ? toMs : Math.min(toMs, midnightMs + next.atMs),
      register,
    };
    return piece.fromMs < piece.toMs ? [piece] : [];
  });
}

/** Neighbours of one register made one. */
function joined(pieces: readonly RegisterPiece[]): readonly RegisterPiece[] {
  const all: RegisterPiece[] = [];
  for (const piece of pieces) {
    const last = all.at(-1);
    if (last?.register === piece.register) {
      all[all.length - 1] = { ...last, toMs: piece.toMs };
    } else {
      all.push(piece);
    }
  }
  return all;
}
