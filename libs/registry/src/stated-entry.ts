import { instantMsMax } from './instants.ts';
import {
  intervalTimeline,
  tagTimeline,
  type SeriesFacts,
  type SeriesSettingsPart,
  type SettingsEntry,
  type TagValue,
} from './series-settings.ts';
import { stated, type Timeline, type Validity } from './timeline.ts';

/** For all time: what was stated of a shorter one goes. */
export function withPart(
  before: SettingsEntry,
  part: SeriesSettingsPart & { readonly sinceMs?: number },
): SettingsEntry {
  return {
    ...before,
    ...part,
    ...('intervalMs' in part ? { intervalChanges: undefined } : {}),
    ...('tags' in part ? { tagChanges: undefined } : {}),
  };
}

/** What holds from now on within the validity; outside of it, what stood there stays. */
export function withFacts(before: SettingsEntry, facts: SeriesFacts, validity: Validity): SettingsEntry {
  let entry = before;
  if (facts.intervalMs !== undefined) {
    const { first, changes } = split(stated(intervalTimeline(before), facts.intervalMs, validity));
    entry = { ...entry, intervalMs: first, intervalChanges: changes };
  }
  for (const [name, value] of Object.entries(facts.tags ?? {})) {
    const before = tagTimeline(entry, name);
    const after = stated(before, value, validity);
    entry = isSame(before, after) ? entry : withTag(entry, name, after);
  }
  for (const [name, value] of Object.entries(facts.groups ?? {})) {
    entry = { ...entry, groups: { ...entry.groups, [name]: stated(entry.groups?.[name] ?? [], value, validity) } };
  }
  return entry;
}

function isSame<Value>(before: Timeline<Value>, after: Timeline<Value>): boolean {
  return JSON.stringify(before) === JSON.stringify(after);
}

function withTag(entry: SettingsEntry, name: string, timeline: Timeline<TagValue>): SettingsEntry {
  const { first, changes } = split(timeline);
  return { ...entry, tags: withKey(entry.tags, name, first), tagChanges: withKey(entry.tagChanges, name, changes) };
}

/** What holds from the beginning stands by itself in an entry. */
function split<Value>(timeline: Timeline<Value>): { first: Value | undefined; changes: Timeline<Value> | undefined } {
  const [head, ...changes] = timeline;
  if (head?.[0] === -instantMsMax) {
    return { first: head[1] ?? undefined, changes: changes.length === 0 ? undefined : changes };
  }
  return { first: undefined, changes: timeline.length === 0 ? undefined : timeline };
}

function withKey<Value>(
  record: Readonly<Record<string, Value>> | undefined,
  name: string,
  value: Value | undefined,
): Record<string, Value> | undefined {
  const rest = Object.fromEntries(Object.entries(record ?? {}).filter(([each]) => each !== name));
  const all = value === undefined ? rest : { ...rest, [name]: value };
  return Object.keys(all).length === 0 ? undefined : all;
}
