import { decimalsMax, isIdentifier, isUnit, type Unit } from '@meterflow/readings';
import { z } from 'zod';
import { groupNameSchema } from './group-name.ts';
import { instantMsMax } from './instants.ts';
import { calendarNameSchema } from './register-calendar.ts';
import { timelineSchema, valueAt, type Timeline } from './timeline.ts';

/** What must be known of a series beside its readings. */
export interface SeriesSettings {
  /** IANA name: whose local days and months are aggregated. */
  readonly timeZone: string;
  /** Zones that it may have been aggregated in before: what is stored of their days and months is to be withdrawn. */
  readonly formerTimeZones: readonly string[];
  /** The tenant's calendars by which it is aggregated beside hours, days and months: gas days, tariff registers. */
  readonly calendars: readonly string[];
  /** Calendars that it may have been aggregated by before: what is stored of them is to be withdrawn. */
  readonly formerCalendars: readonly string[];
  /** Quality codes of the source whose readings must not be billed, whatever their quality. */
  readonly notBillableCodes: readonly string[];
  /** The registered length of its intervals now; undefined: whatever its readings have. */
  readonly intervalMs: number | undefined;
  /** The registered lengths over time, ascending: each holds for readings that start in it, until the next. */
  readonly intervals: readonly IntervalPeriod[];
  /** Undefined: the unit that its readings come in. */
  readonly unit: Unit | undefined;
  /** Decimals that a value changed by a rule is rounded to, half to even. */
  readonly decimals: number;
  /** Facts that rules may ask for, by name: `dials`, `multiplier`, as of now. Those of a series stand before the tenant's. */
  readonly tags: Tags;
  /** The tags over time, ascending, the first from the beginning: each holds until the next. */
  readonly tagPeriods: readonly TagPeriod[];
  /** What the tags were, at any time, before they were changed: groups that took it by them are to be left. */
  readonly formerTags: readonly Tags[];
  /** From when on its readings are expected; undefined for one that is not registered. */
  readonly sinceMs: number | undefined;
  /** When that was said, where it was said of the past: days from there on may be closed already. */
  readonly sinceSetMs: number | undefined;
  /** The groups that it was made a member of, with when. */
  readonly groups: Readonly<Record<string, Timeline<true>>>;
}

export type TagValue = string | number | boolean;
export type Tags = Readonly<Record<string, TagValue>>;

/** From an instant on one length is registered; undefined: none. */
export interface IntervalPeriod {
  readonly fromMs: number;
  readonly intervalMs: number | undefined;
}

export interface TagPeriod {
  readonly fromMs: number;
  readonly tags: Tags;
}

const beginningMs = -instantMsMax;

export const seriesDefaults: SeriesSettings = {
  timeZone: 'UTC',
  formerTimeZones: [],
  calendars: [],
  formerCalendars: [],
  notBillableCodes: [],
  intervalMs: undefined,
  intervals: [],
  unit: undefined,
  decimals: 6,
  tags: {},
  tagPeriods: [{ fromMs: beginningMs, tags: {} }],
  formerTags: [],
  sinceMs: undefined,
  sinceSetMs: undefined,
  groups: {},
};

/** So old may the settings be that a day is aggregated with; whoever changes them recomputes no sooner. */
export const seriesSettingsMsMax = 5_000;

/** Tags of a series, and how long a text among them may be. */
const tagsMax = 50;
const tagCharsMax = 2_000;
const tagName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/, 'not a name of a tag: letters, digits and _, a letter first');
const tagValue = z.union([z.string().max(tagCharsMax), z.number(), z.boolean()]);
const intervalMsMax = 366 * 24 * 60 * 60 * 1000;
const intervalMs = z.number().int().min(1).max(intervalMsMax);
/** Groups that a series may ever have been made a member of; those that take it by its tags are not among them. */
const groupsPerSeriesMax = 100;
const atMostGroups = (groups: object): boolean => Object.keys(groups).length <= groupsPerSeriesMax;
const tooManyGroups = `more than ${groupsPerSeriesMax} groups`;
const atMostTags = (tags: object): boolean => Object.keys(tags).length <= tagsMax;
const tooManyTags = `more than ${tagsMax} tags`;

/** Calendars that a series is, or was, aggregated by: each costs as much as its days do. */
const calendarsPerSeriesMax = 8;
const notBillableCodesMax = 50;

export const seriesSettingsSchema = z.object({
  timeZone: z.string().refine(isTimeZone, 'not a time zone of the IANA database, like Europe/Berlin'),
  calendars: z.array(calendarNameSchema).max(calendarsPerSeriesMax),
  notBillableCodes: z.array(z.string().refine(isIdentifier, 'not a quality code')).max(notBillableCodesMax),
  intervalMs,
  unit: z.string().refine(isUnit, 'not a unit'),
  decimals: z.number().int().min(0).max(decimalsMax),
  tags: z.record(tagName, tagValue).refine(atMostTags, tooManyTags),
});
export const seriesSettingsPartSchema = seriesSettingsSchema.partial();
/** So many zones may a series, or a tenant's default, have had: each costs a little whenever a day is aggregated. */
const formerTimeZonesMax = 16;
const formerCalendarsMax = 32;
const tooManyFormer = (max: number, what: string): string =>
  `has left ${max} ${what} already, which are looked at whenever a day is aggregated: keep one that it has`;
/** So many sets of tags are remembered; whoever changed them longer ago has long been recomputed. */
export const formerTagsMax = 16;
/**
 * As an entry keeps it: `intervalMs` and `tags` hold from the beginning, the changes from their instants on. (A build that
 * knows of no changes reads the beginning.)
 * From `sinceMs` on readings of a series are expected.
 */
export const settingsEntrySchema = seriesSettingsPartSchema.extend({
  formerTimeZones: z
    .array(z.string())
    .max(formerTimeZonesMax, tooManyFormer(formerTimeZonesMax, 'time zones'))
    .optional(),
  formerCalendars: z
    .array(calendarNameSchema)
    .max(formerCalendarsMax, tooManyFormer(formerCalendarsMax, 'calendars'))
    .optional(),
  sinceMs: z.number().optional(),
  sinceSetMs: z.number().optional(),
  intervalChanges: timelineSchema(intervalMs).optional(),
  tagChanges: z.record(tagName, timelineSchema<TagValue>(tagValue)).refine(atMostTags, tooManyTags).optional(),
  formerTags: z.array(z.record(tagName, tagValue)).max(formerTagsMax).optional(),
  groups: z
    .record(groupNameSchema, timelineSchema<true>(z.literal(true)))
    .refine(atMostGroups, tooManyGroups)
    .optional(),
});
export type SettingsEntry = z.infer<typeof settingsEntrySchema>;
/** Settings that are set; the others come from the tenant's default, then from {@link seriesDefaults}. */
export type SeriesSettingsPart = z.infer<typeof seriesSettingsPartSchema>;

/** What can be said of a series for a time; null takes it back. Tags that are not named stay as they are. */
export const seriesFactsSchema = z.object({
  intervalMs: intervalMs.nullable().optional(),
  tags: z.record(tagName, tagValue.nullable()).refine(atMostTags, tooManyTags).optional(),
  /** Groups of explicit members: true makes it one. */
  groups: z.record(groupNameSchema, z.literal(true).nullable()).refine(atMostGroups, tooManyGroups).optional(),
});
export type SeriesFacts = z.infer<typeof seriesFactsSchema>;

/** The length that is registered for readings that start then. */
export function intervalMsAt(settings: Pick<SeriesSettings, 'intervals'>, atMs: number): number | undefined {
  return settings.intervals.findLast(({ fromMs }) => fromMs <= atMs)?.intervalMs;
}

export function tagsAt(settings: Pick<SeriesSettings, 'tagPeriods'>, atMs: number): Tags {
  return settings.tagPeriods.findLast(({ fromMs }) => fromMs <= atMs)?.tags ?? {};
}

/** What a series has that says `entry` of itself, all else being as `settings`. */
export function mergeSettings(settings: SeriesSettings, entry: SettingsEntry, nowMs: number): SeriesSettings {
  const intervals = mergedIntervals(settings, entry);
  const tagPeriods = mergedTags(settings, entry);
  return {
    ...mergedZones(settings, entry),
    ...mergedCalendars(settings, entry),
    notBillableCodes: entry.notBillableCodes ?? settings.notBillableCodes,
    intervalMs: intervalMsAt({ intervals }, nowMs),
    intervals,
    unit: entry.unit ?? settings.unit,
    decimals: entry.decimals ?? settings.decimals,
    tags: tagsAt({ tagPeriods }, nowMs),
    tagPeriods,
    formerTags: entry.formerTags === undefined ? settings.formerTags : [...settings.formerTags, ...entry.formerTags],
    sinceMs: entry.sinceMs ?? settings.sinceMs,
    sinceSetMs: entry.sinceSetMs ?? settings.sinceSetMs,
    groups: entry.groups ?? settings.groups,
  };
}

/** What an entry says nothing of is shared with all others: there may be 100,000 in memory. */
function mergedZones(
  { timeZone, formerTimeZones }: SeriesSettings,
  entry: SettingsEntry,
): Pick<SeriesSettings, 'timeZone' | 'formerTimeZones'> {
  if (entry.timeZone === undefined && entry.formerTimeZones === undefined) {
    return { timeZone, formerTimeZones };
  }
  const former = new Set([...formerTimeZones, ...(entry.formerTimeZones ?? [])]);
  former.delete(entry.timeZone ?? timeZone);
  return { timeZone: entry.timeZone ?? timeZone, formerTimeZones: [...former] };
}

function mergedCalendars(
  { calendars, formerCalendars }: SeriesSettings,
  entry: SettingsEntry,
): Pick<SeriesSettings, 'calendars' | 'formerCalendars'> {
  if (entry.calendars === undefined && entry.formerCalendars === undefined) {
    return { calendars, formerCalendars };
  }
  const own = entry.calendars ?? calendars;
  const former = new Set([...formerCalendars, ...calendars, ...(entry.formerCalendars ?? [])]);
  return { calendars: own, formerCalendars: [...former].filter((each) => !own.includes(each)) };
}

/** The lengths that an entry says of itself, the beginning included. */
export function intervalTimeline(entry: SettingsEntry): Timeline<number> {
  return timelineOf(entry.intervalMs, entry.intervalChanges);
}

/** What an entry says of one tag, the beginning included. */
export function tagTimeline(entry: SettingsEntry, name: string): Timeline<TagValue> {
  return timelineOf(entry.tags?.[name], entry.tagChanges?.[name]);
}

function timelineOf<Value>(first: Value | undefined, changes: Timeline<Value> = []): Timeline<Value> {
  return first === undefined ? changes : [[beginningMs, first], ...changes];
}

function mergedIntervals({ intervals }: SeriesSettings, entry: SettingsEntry): readonly IntervalPeriod[] {
  const own = intervalTimeline(entry);
  if (own.length === 0) {
    return intervals;
  }
  const merged: IntervalPeriod[] = [];
  for (const fromMs of instantsOf([intervals, own])) {
    const lengthMs = valueAt(own, fromMs) ?? intervalMsAt({ intervals }, fromMs);
    if (merged.at(-1)?.intervalMs !== lengthMs) {
      merged.push({ fromMs, intervalMs: lengthMs });
    }
  }
  return merged;
}

function mergedTags({ tagPeriods }: SeriesSettings, entry: SettingsEntry): readonly TagPeriod[] {
  const changes = Object.entries(entry.tagChanges ?? {});
  if (changes.length === 0 && entry.tags === undefined) {
    return tagPeriods;
  }
  return instantsOf([tagPeriods, ...changes.map(([, timeline]) => timeline)]).map((fromMs) => {
    const tags = { ...tagsAt({ tagPeriods }, fromMs), ...entry.tags };
    for (const [name] of changes) {
      const value = valueAt(tagTimeline(entry, name), fromMs) ?? tagsAt({ tagPeriods }, fromMs)[name];
      if (value === undefined) {
        // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- a tag that was taken back
        delete tags[name];
      } else {
        tags[name] = value;
      }
    }
    return { fromMs, tags };
  });
}

/** All instants at which something changes, ascending, without doubles. */
function instantsOf(
  changes: readonly (readonly ({ readonly fromMs: number } | readonly [number, unknown])[])[],
): number[] {
  const all = changes.flat().map((each) => ('fromMs' in each ? each.fromMs : each[0]));
  return [...new Set(all)].sort((a, b) => a - b);
}

/** More than the database has: names differ in case, too. */
const knownZonesMax = 2_000;
/** Names that were found to be zones: asking the engine costs 50 µs, and every snapshot of settings asks. */
const knownZones = new Set<string>();

function isTimeZone(name: string): boolean {
  if (knownZones.has(name)) {
    return true;
  }
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
  } catch {
    return false;
  }
  if (knownZones.size < knownZonesMax) {
    knownZones.add(name);
  }
  return true;
}
