import { groupMeterPrefix, identifierCharsMax, isIdentifier, isUnit, type SeriesName } from '@meterflow/readings';
import { z } from 'zod';
import { FilterSyntaxError, filterCharsMax, parseFilter } from './group-filter.ts';
import { groupNameSchema } from './group-name.ts';
import { instantMsMax } from './instants.ts';
import { seriesSettingsSchema } from './series-settings.ts';

export const groupsMax = 100_000;
export const childrenMax = 10_000;
export const termsMax = 1_000;
/** What {@link GroupDefinition} says to expect at the most. */
const membersExpectedMax = 10_000_000;
/** From a group down to the series that count in it. */
export const groupDepthMax = 32;

/** `set`: its aggregates keep every quality that its members have. `one`: the one that the rule for series gives. */
export const qualityPolicies = ['set', 'one'] as const;
export type QualityPolicy = (typeof qualityPolicies)[number];

const instant = z.number().min(-instantMsMax).max(instantMsMax);
const identifier = z.string().refine(isIdentifier, `not 1 to ${identifierCharsMax} printable characters`);
const validity = {
  fromMs: instant.default(-instantMsMax),
  toMs: instant.default(instantMsMax),
};
/** A decimal, so that sums stay exact. */
const factor = z.string().regex(/^-?\d{1,9}(?:\.\d{1,9})?$/, 'not a decimal, like -1 or 0.25');

const sourceSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('filter'),
    filter: z.string().min(1).max(filterCharsMax).superRefine(checkFilter),
  }),
  z.strictObject({ kind: z.literal('members') }),
  z.strictObject({
    kind: z.literal('children'),
    children: z.array(z.strictObject({ group: groupNameSchema, ...validity })).max(childrenMax),
  }),
  z.strictObject({
    kind: z.literal('terms'),
    terms: z
      .array(
        z.strictObject({
          of: z.union([
            z.strictObject({ group: groupNameSchema }),
            z.strictObject({
              meter: identifier.refine(isOfReadings, 'a group is named by {"group": NAME}'),
              channel: identifier,
            }),
          ]),
          factor,
        }),
      )
      .min(1)
      .max(termsMax),
  }),
]);

export const groupSchema = z.strictObject({
  name: groupNameSchema,
  channel: identifier.default('import'),
  unit: z.string().refine(isUnit, 'not a unit').optional(),
  timeZone: seriesSettingsSchema.shape.timeZone,
  intervalMs: seriesSettingsSchema.shape.intervalMs,
  quality: z.enum(qualityPolicies).default('set'),
  membersExpected: z.number().int().min(1).max(membersExpectedMax).optional(),
  source: sourceSchema,
});

/**
 * Series that are aggregated together. Its aggregates are stored as those of the series (`group:NAME`, channel).
 * - `filter`: the series whose tags, meter and channel it takes, each while it does; of the group's channel alone, unless
 *   the filter asks for `channel` itself;
 * - `members`: the series that were made members, each within its validity;
 * - `children`: what the groups below it hold, each within its validity: a node of a tree;
 * - `terms`: the sum of each group's or series' value times its factor: net = import − export.
 *
 * `membersExpected` says for how many series the tree of a filter or of members is made; more of them do it no harm. It stays
 * as it was when the group was made.
 */
export type GroupDefinition = z.infer<typeof groupSchema>;
export type GroupSource = GroupDefinition['source'];
export type GroupTerm = Extract<GroupSource, { kind: 'terms' }>['terms'][number];
/** As it is asked for: what has a default may be left out. */
export type GroupRequest = z.input<typeof groupSchema>;

/** A series counts in a group within [fromMs, toMs), times the factor. */
export interface Membership {
  readonly group: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** A decimal: '1' but for the terms of an arithmetic group. */
  readonly factor: string;
}

/** What counts in a group within [fromMs, toMs), times the factor: a series, or a whole group below it. */
export interface Member extends Omit<Membership, 'group'> {
  readonly of: SeriesName | { readonly group: string };
}

/** Some of what counts in a group, and where to go on; `next` is absent after the last of it. */
export interface MembersPage {
  readonly members: readonly Member[];
  readonly next?: string;
}

/** A tenant's groups at one moment. What is asked of one series or group costs no look at the others. */
export interface GroupsSnapshot {
  /** Changes with every change of a group or of who belongs to one. */
  readonly version: number;
  /** False where the tenant has none: nothing need be asked further. */
  readonly hasGroups: boolean;
  /** Also one that was removed: what came of it is to be withdrawn, and {@link membershipsOf} says that nothing is in it. */
  group(name: string): GroupDefinition | undefined;
  /** Those that are not removed, by name. */
  groups(): Iterable<GroupDefinition>;
  /**
   * The groups that each of these series counts in directly, or once did: a window that no membership of a group covers is
   * withdrawn from it (one that never holds has fromMs = toMs). What stands above them, {@link parentsOf} tells.
   */
  membershipsOf(series: readonly SeriesName[]): Promise<readonly (readonly Membership[])[]>;
  /** Zones that a group had before: what stands in their days and months is to be withdrawn. */
  formerTimeZonesOf(group: string): readonly string[];
  /** What a group counts in: as of a series. */
  parentsOf(group: string): readonly Membership[];
  /** What counts in it directly, streaming: of a filter every registered series is looked at. */
  membersOf(group: string): AsyncIterable<Member>;
  /**
   * The same page by page, from the `next` of the page before on: some hundred series are looked at for one. Of a filter it
   * may have no member, and a next all the same.
   */
  membersPage(group: string, after?: string): Promise<MembersPage>;
  /** Every series that counts, or ever counted, in it or in groups below it; some several times. Also of a removed one. */
  everIn(group: string): AsyncIterable<SeriesName>;
}

/** The meter that a group's aggregates are stored under. */
export function groupMeter(name: string): string {
  return `${groupMeterPrefix}${name}`;
}

/** The group whose aggregates a meter stands for; undefined for the meters of readings. */
export function groupOfMeter(meter: string): string | undefined {
  return meter.startsWith(groupMeterPrefix) ? meter.slice(groupMeterPrefix.length) : undefined;
}

/** False for a meter that a group's aggregates are stored under. */
function isOfReadings(meter: string): boolean {
  return groupOfMeter(meter) === undefined;
}

function checkFilter(text: string, context: z.RefinementCtx): void {
  try {
    parseFilter(text);
  } catch (error) {
    if (!(error instanceof FilterSyntaxError)) {
      throw error;
    }
    context.addIssue({ code: 'custom', message: error.message });
  }
}
