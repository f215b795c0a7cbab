import { formerTagsMax, mergeSettings, seriesDefaults, type SettingsEntry, type Tags } from './series-settings.ts';

/** Remembers what held until now where something else holds from now on: what came of it is to be withdrawn. */
export function withFormer(before: SettingsEntry, after: SettingsEntry, inherited: string): SettingsEntry {
  return withFormerTags(before, withFormerCalendars(before, withFormerZone(before, after, inherited)));
}

function withFormerCalendars(before: SettingsEntry, after: SettingsEntry): SettingsEntry {
  const gone = (before.calendars ?? []).filter((name) => !(after.calendars ?? []).includes(name));
  return gone.length === 0
    ? after
    : { ...after, formerCalendars: [...new Set([...(before.formerCalendars ?? []), ...gone])] };
}

function withFormerTags(before: SettingsEntry, after: SettingsEntry): SettingsEntry {
  const states = (entry: SettingsEntry): readonly Tags[] =>
    mergeSettings(seriesDefaults, entry, 0).tagPeriods.map(({ tags }) => tags);
  const now = new Set(states(after).map(canonical));
  const gone = states(before).filter((tags) => Object.keys(tags).length > 0 && !now.has(canonical(tags)));
  if (gone.length === 0) {
    return after;
  }
  const all = new Map([...gone, ...(before.formerTags ?? [])].map((tags) => [canonical(tags), tags]));
  return { ...after, formerTags: [...all.values()].slice(0, formerTagsMax) };
}

function canonical(tags: Tags): string {
  return JSON.stringify(Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function withFormerZone(before: SettingsEntry, after: SettingsEntry, inherited: string): SettingsEntry {
  const zone = before.timeZone ?? inherited;
  if (zone === (after.timeZone ?? inherited)) {
    return after;
  }
  return { ...after, formerTimeZones: [...new Set([...(before.formerTimeZones ?? []), zone])] };
}
