import type { Days } from './isolate-day.ts';
import type { RuleContext } from './isolate-flow.ts';
import type { DayNeeds } from './isolate-run.ts';
import type { AroundDay, OwnDay } from './isolate-views.ts';

/** How a step reaches what it needs: the same for all days, always of the one that the run is at. */
export interface Reach {
  readonly earlier: (days: number) => object;
  readonly later: (days: number) => object;
  readonly other: (name: string, daysLater?: number) => object;
  readonly emit: (name: string, emission: Readonly<Record<string, unknown>>) => void;
  /** What the step sees of the day; made when it is seen first. */
  view: OwnDay | undefined;
  /** And of days around, by window and distance. */
  readonly around: (AroundDay | undefined)[][];
  /** What it got beside the day last, and of which tags that is made. */
  context: (RuleContext & { readonly tags: object }) | undefined;
  tags: Readonly<Record<string, unknown>> | undefined;
}

/** Runs inside the isolate, as text: nothing in it may refer to anything outside but the types. */
export function reachOf(days: Days, needs: DayNeeds): Reach {
  const within = (count: number, most: number, what: string): number => {
    if (!Number.isInteger(count) || count < 0 || count > most) {
      throw days.nonsense(`${what}(${String(count)}) is not to be had: needs says ${most} days`);
    }
    return count;
  };
  const reach: Reach = {
    view: undefined,
    around: [],
    context: undefined,
    tags: undefined,
    earlier: (count) => days.viewAround(reach, 0, -within(count, needs.lookBackDays, 'earlier')),
    later: (count) => days.viewAround(reach, 0, within(count, needs.lookAheadDays, 'later')),
    other: (name, daysLater = 0) => {
      const window = days.facts.windows.findIndex((each, index) => index > 0 && each.channel === name);
      if (window < 0 || !needs.reads.includes(name)) {
        throw days.nonsense(`the channel ${name} is not to be had: name it in needs.reads`);
      }
      const count =
        daysLater < 0
          ? -within(-daysLater, needs.lookBackDays, 'other')
          : within(daysLater, needs.lookAheadDays, 'other');
      return days.viewAround(reach, window, count);
    },
    emit: (name, emission) => {
      if (!needs.emits.includes(name)) {
        throw days.nonsense('there is no emitting on a channel that needs.emits does not name');
      }
      days.emit(name, emission);
    },
  };
  [reach.earlier, reach.later, reach.other, reach.emit].forEach((each) => Object.freeze(each));
  return reach;
}
