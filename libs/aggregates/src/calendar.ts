/** Thrown for a time zone that the machine's zone rules do not know: the caller refuses the setting that names it. */
export class UnknownTimeZoneError extends Error {
  override readonly name = 'UnknownTimeZoneError';
}

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

const pageDays = 512;
const calendarsMax = 1_000;
const pagesMax = 1_000;

/**
 * The local days, months and years of one time zone. A day is named by its local date as days since 1970-01-01, a month as
 * months since 1970-01; both are half-open spans of UTC milliseconds which follow each other without gap.
 *
 * A day begins where Temporal's `startOfDay` says: at the first instant that shows 00:00, or, where the clock jumps over
 * midnight, at the jump. Where days begin at another time of the clock (a gas day at 06:00), so do months and years. Starts
 * are worked out 512 days at a time and kept, so that no reading pays for zone rules.
 */
export class Calendar {
  readonly timeZone: string;
  /** What the clock shows when a day begins: 0 for midnight. */
  readonly dayStartsAtMs: number;
  readonly #offset: ((instantMs: number) => number) | undefined;
  readonly #pages = new Map<number, Float64Array>();
  #page: Float64Array = new Float64Array(0);
  #pageNumber = Number.NaN;

  /** Throws {@link UnknownTimeZoneError}. */
  constructor(timeZone: string, dayStartsAtMs = 0) {
    this.timeZone = timeZone;
    this.dayStartsAtMs = dayStartsAtMs;
    this.#offset = timeZone === 'UTC' ? undefined : offsetReader(timeZone);
  }

  /** The local day that an instant belongs to. */
  dayOf(instantMs: number): number {
    let day = Math.floor((instantMs - this.dayStartsAtMs) / dayMs);
    if (this.#offset === undefined) {
      return day;
    }
    while (this.dayStartMs(day) > instantMs) {
      day -= 1;
    }
    while (this.dayStartMs(day + 1) <= instantMs) {
      day += 1;
    }
    return day;
  }

  /** Where a local day begins; it ends where the next one begins. A day that the zone left out is empty. */
  dayStartMs(day: number): number {
    if (this.#offset === undefined) {
      return day * dayMs + this.dayStartsAtMs;
    }
    const number = Math.floor(day / pageDays);
    if (number !== this.#pageNumber) {
      this.#turnTo(number, this.#offset);
    }
    return this.#page[day - number * pageDays] as number;
  }

  /** What the zone's clock shows more than UTC at an instant. Costs a look at the zone's rules. */
  offsetMs(instantMs: number): number {
    return this.#offset?.(instantMs) ?? 0;
  }

  monthStartMs(month: number): number {
    return this.dayStartMs(firstDayOfMonth(month));
  }

  /** Years are numbered as people do. */
  yearStartMs(year: number): number {
    return this.monthStartMs((year - 1970) * 12);
  }

  #turnTo(number: number, offset: (instantMs: number) => number): void {
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = Float64Array.from({ length: pageDays }, (_, index) =>
        startOfDay((number * pageDays + index) * dayMs + this.dayStartsAtMs, offset),
      );
      if (this.#pages.size >= pagesMax) {
        this.#pages.clear();
      }
      this.#pages.set(number, page);
    }
    this.#page = page;
    this.#pageNumber = number;
  }
}

const calendars = new Map<string, Calendar>();

/** The calendar of a time zone, made once. Throws {@link UnknownTimeZoneError}. */
export function calendarOf(timeZone: string, dayStartsAtMs = 0): Calendar {
  const name = dayStartsAtMs === 0 ? timeZone : `${timeZone} ${dayStartsAtMs}`;
  let calendar = calendars.get(name);
  if (calendar === undefined) {
    calendar = new Calendar(timeZone, dayStartsAtMs);
    if (calendars.size >= calendarsMax) {
      calendars.clear();
    }
    calendars.set(name, calendar);
  }
  return calendar;
}

/** The month of a local day. */
export function monthOfDay(day: number): number {
  const date = new Date(day * dayMs);
  return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
}

/** The year of a local day. */
export function yearOfDay(day: number): number {
  return new Date(day * dayMs).getUTCFullYear();
}

/** The first local day of a month. */
export function firstDayOfMonth(month: number): number {
  return Date.UTC(1970, month, 1) / dayMs;
}

/** `localMs` is what the clock shows when the day begins, read as if it were UTC. */
function startOfDay(localMs: number, offset: (instantMs: number) => number): number {
  // No zone changes its clock twice within four days, and none by more than a day at once.
  const before = offset(localMs - 2 * dayMs);
  const after = offset(localMs + 2 * dayMs);
  const starts = [localMs - Math.max(before, after), localMs - Math.min(before, after)];
  return starts.find((instantMs) => instantMs + offset(instantMs) === localMs) ?? jumpOver(localMs, offset);
}

/** The instant at which the clock jumps over `localMs`. */
function jumpOver(localMs: number, offset: (instantMs: number) => number): number {
  let low = localMs - 2 * dayMs;
  let high = localMs + 2 * dayMs;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (middle + offset(middle) < localMs) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return high;
}

/** Reads what a zone's clock adds to UTC, in milliseconds. */
function offsetReader(timeZone: string): (instantMs: number) => number {
  const format = zoneFormat(timeZone);
  return (instantMs) => {
    const match = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(format.format(instantMs));
    const seconds = Number(match?.[2] ?? 0) * 3_600 + Number(match?.[3] ?? 0) * 60 + Number(match?.[4] ?? 0);
    return (match?.[1] === '-' ? -seconds : seconds) * 1_000;
  };
}

function zoneFormat(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  } catch (error) {
    throw new UnknownTimeZoneError(`"${timeZone.slice(0, 64)}" is not a time zone: use a name such as Europe/Zurich`, {
      cause: error,
    });
  }
}
