import { dayMs } from './calendar.ts';

/** Where the rows of one series are within an hour that the clocks repeat. */
export interface FoldProgress {
  /** The stamp before, where the clocks were changed on its day. */
  foldLocalMs: number;
  /** They came into that hour from above: the latest stands first. */
  foldDescends: boolean;
  /** 0: not in such an hour; 1: the first time round; 2: the second. */
  foldPass: 0 | 1 | 2;
}

const cachedMax = 20_000;
/** How finely offsets at instants are cached: no zone changes its clocks at another minute. */
const cacheStepMs = 900_000;

/** Turns local times of one zone into instants. Remembers one offset for each local day on which it does not change. */
export class LocalClock {
  readonly isUtc: boolean;
  readonly #zone: string;
  #format: Intl.DateTimeFormat | undefined;
  readonly #dayOffsets = new Map<number, number>();
  readonly #offsets = new Map<number, number>();
  /** Local days on which stamps lay in an hour that the clocks show twice. */
  readonly #foldDays = new Set<number>();

  constructor(zone: string) {
    this.isUtc = /^(utc|etc\/utc|gmt|etc\/gmt)$/i.test(zone);
    this.#zone = zone;
  }

  /** What the zone's clocks are ahead of UTC at an instant. */
  offsetMsAt(instantMs: number): number {
    if (this.isUtc) {
      return 0;
    }
    const step = Math.floor(instantMs / cacheStepMs);
    let offset = this.#offsets.get(step);
    if (offset === undefined) {
      offset = this.#computeOffsetMs(step * cacheStepMs);
      remember(this.#offsets, step, offset);
    }
    return offset;
  }

  /** The offset during the local day that starts at `localDayMs` (a multiple of a day); NaN where it changes within. */
  dayOffsetMs(localDayMs: number): number {
    if (this.isUtc) {
      return 0;
    }
    let offset = this.#dayOffsets.get(localDayMs);
    if (offset === undefined) {
      offset = this.#computeDayOffsetMs(localDayMs);
      remember(this.#dayOffsets, localDayMs, offset);
    }
    return offset;
  }

  /**
   * The instant at which the clocks show `localMs`; NaN where they never do. In an hour that they show twice, the rows
   * of a series (which `progress` belongs to) are the first hour until they go back in time, then the second; where they
   * came from a later stamp of that day, the second until they go on in time, then the first. A row with the stamp of the
   * one before it is a repetition, unless an interval of `lengthMs` fills the hour.
   */
  instantMs(localMs: number, progress: FoldProgress, lengthMs: number): number {
    const offset = this.dayOffsetMs(Math.floor(localMs / dayMs) * dayMs);
    if (!Number.isNaN(offset)) {
      return localMs - offset;
    }
    const [first, second] = this.#instantsMs(localMs);
    if (first === undefined || second === undefined) {
      progress.foldPass = 0;
      progress.foldLocalMs = localMs;
      return first ?? NaN;
    }
    this.#foldDays.add(Math.floor(localMs / dayMs));
    advance(localMs, progress, lengthMs >= second - first);
    return progress.foldPass === 1 ? first : second;
  }

  /**
   * When an interval ends whose ends are told by what the clocks showed, once both are looked up. One that the clocks show
   * within the hour that they repeat, from the first time round to where that hour is over, is not longer than they show:
   * it is the first of the two, whether the other one comes as well or not.
   */
  endMs(startMs: number, endMs: number): number {
    if (this.isUtc) {
      return endMs;
    }
    const offsetMs = this.offsetMsAt(startMs);
    const backMs = offsetMs - this.offsetMsAt(endMs);
    const shownMs = endMs - startMs - backMs;
    const isOnceRound = shownMs > 0 && shownMs <= backMs && this.offsetMsAt(startMs + shownMs - 1) === offsetMs;
    return isOnceRound ? startMs + shownMs : endMs;
  }

  /**
   * What the clocks show at the beginning of [fromMs, toMs), where this is one of the two times round of an hour that they
   * show twice, and stamps without an offset lay in that hour; else undefined.
   */
  foldAt(fromMs: number, toMs: number): number | undefined {
    const changes = this.#foldDays.size === 0 ? [] : [fromMs, toMs];
    return changes
      .filter((changeMs) => this.offsetMsAt(changeMs - 1) - this.offsetMsAt(changeMs) === toMs - fromMs)
      .map((changeMs) => changeMs + this.offsetMsAt(changeMs))
      .find((localMs) => this.#foldDays.has(Math.floor(localMs / dayMs)));
  }

  #instantsMs(localMs: number): number[] {
    const offsets = new Set([this.offsetMsAt(localMs - dayMs), this.offsetMsAt(localMs + dayMs)]);
    return [...offsets]
      .map((offset) => localMs - offset)
      .filter((instantMs) => instantMs + this.offsetMsAt(instantMs) === localMs)
      .sort((a, b) => a - b);
  }

  #computeDayOffsetMs(localDayMs: number): number {
    const before = this.offsetMsAt(localDayMs - dayMs);
    const after = this.offsetMsAt(localDayMs + 2 * dayMs);
    if (before === after) {
      return before;
    }
    const start = this.offsetMsAt(localDayMs - Math.max(before, after));
    const end = this.offsetMsAt(localDayMs + dayMs - Math.min(before, after));
    return start === end ? start : NaN;
  }

  #computeOffsetMs(instantMs: number): number {
    const parts: Record<string, number> = {};
    // Made when first needed: it costs more than reading a small request.
    this.#format ??= partsFormat(this.#zone);
    for (const { type, value } of this.#format.formatToParts(instantMs)) {
      parts[type] = Number(value);
    }
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instantMs / 1_000) * 1_000;
  }
}

function partsFormat(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-u-ca-iso8601-nu-latn', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
}

/** One row further within an hour that the clocks show twice. */
function advance(localMs: number, progress: FoldProgress, fillsTheFold: boolean): void {
  const { foldPass, foldLocalMs } = progress;
  const isSameDay = Math.abs(localMs - foldLocalMs) < dayMs;
  if (foldPass === 0 || !isSameDay) {
    progress.foldDescends = isSameDay && localMs < foldLocalMs;
    progress.foldPass = progress.foldDescends ? 2 : 1;
  } else if (localMs === foldLocalMs ? fillsTheFold : localMs > foldLocalMs === progress.foldDescends) {
    progress.foldPass = progress.foldDescends ? 1 : 2;
  }
  progress.foldLocalMs = localMs;
}

function remember(cache: Map<number, number>, key: number, offset: number): void {
  if (cache.size >= cachedMax) {
    cache.clear();
  }
  cache.set(key, offset);
}
