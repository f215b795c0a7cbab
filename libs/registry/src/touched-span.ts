import { instantMsMax } from './instants.ts';
import { intervalMsAt, tagsAt, type SeriesSettings } from './series-settings.ts';
import { valueAt } from './timeline.ts';

export interface TouchedSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Where aggregates come out otherwise once other settings hold; undefined: nowhere. */
export function touchedSpan(before: SeriesSettings, after: SeriesSettings): TouchedSpan | undefined {
  const namesOf = ({ calendars, notBillableCodes }: SeriesSettings): string =>
    JSON.stringify([calendars, notBillableCodes]);
  if (before.timeZone !== after.timeZone || before.unit !== after.unit || namesOf(before) !== namesOf(after)) {
    return { fromMs: -instantMsMax, toMs: instantMsMax };
  }
  const instants = [...new Set([-instantMsMax, ...instantsOf(before), ...instantsOf(after)])].sort((a, b) => a - b);
  const differing = instants.flatMap((fromMs, index) =>
    factsAt(before, fromMs) === factsAt(after, fromMs) ? [] : [{ fromMs, toMs: instants[index + 1] ?? instantMsMax }],
  );
  const [first] = differing;
  const last = differing.at(-1);
  return first === undefined || last === undefined ? undefined : { fromMs: first.fromMs, toMs: last.toMs };
}

function instantsOf({ intervals, tagPeriods, groups }: SeriesSettings): number[] {
  const members = Object.values(groups).flatMap((timeline) => timeline.map(([fromMs]) => fromMs));
  return [...intervals.map(({ fromMs }) => fromMs), ...tagPeriods.map(({ fromMs }) => fromMs), ...members];
}

/** Everything that windows at this instant hang on, as one text. */
function factsAt(settings: SeriesSettings, atMs: number): string {
  const tags = Object.entries(tagsAt(settings, atMs)).sort(([a], [b]) => (a < b ? -1 : 1));
  const groups = Object.entries(settings.groups).flatMap(([group, timeline]) =>
    valueAt(timeline, atMs) === true ? [group] : [],
  );
  return JSON.stringify([intervalMsAt(settings, atMs), tags, groups.sort()]);
}
