import type { SeriesName } from '@meterflow/readings';
import { asksFor, matches, parseFilter, requirementOf, valueOf, type GroupFilter } from './group-filter.ts';
import type { StoredGroup } from './group-registry.ts';
import type { GroupSource, Membership } from './groups.ts';
import { instantMsMax } from './instants.ts';
import { seriesPath } from './series-path.ts';
import type { SeriesSettings, Tags } from './series-settings.ts';
import { periodsOf } from './timeline.ts';

interface FilterGroup {
  readonly group: string;
  /** Undefined: it has another source by now, and takes nothing any more. */
  readonly filter: GroupFilter | undefined;
  /** What it took before: whoever was in it then is told to leave. */
  readonly former: readonly GroupFilter[];
}

/** Which groups a series or group counts in, found without a look at the others. Made anew when a definition changes. */
export class GroupIndex {
  /** Of groups below others. */
  readonly #parents = new Map<string, Membership[]>();
  /** By path: what arithmetic groups name series. */
  readonly #terms = new Map<string, Membership[]>();
  /** By a field and value that all that it takes have. */
  readonly #required = new Map<string, Map<string, FilterGroup[]>>();
  readonly #others: FilterGroup[] = [];
  /** Every group, and whether it is one of explicit members now. */
  readonly #ofMembers = new Map<string, boolean>();

  constructor(groups: Iterable<StoredGroup>) {
    for (const group of groups) {
      this.#add(group);
    }
  }

  parentsOf(group: string): readonly Membership[] {
    return this.#parents.get(group) ?? [];
  }

  membershipsOf(series: SeriesName, settings: SeriesSettings): Membership[] {
    const found: Membership[] = [...(this.#terms.get(seriesPath(series.meter, series.channel)) ?? [])];
    for (const [group, timeline] of Object.entries(settings.groups)) {
      if (this.#ofMembers.has(group)) {
        const spans = this.#ofMembers.get(group) === true ? periodsOf(timeline) : [];
        found.push(...membershipsOver(group, spans));
      }
    }
    for (const { group, filter, former } of this.#candidates(series, settings)) {
      const spans = filter === undefined ? [] : spansOf(filter, series, settings);
      if (spans.length > 0 || wasTaken(filter === undefined ? former : [filter, ...former], series, settings)) {
        found.push(...membershipsOver(group, spans));
      }
    }
    return found;
  }

  /** The groups whose filter may take it: each at most once. */
  #candidates(series: SeriesName, settings: SeriesSettings): ReadonlySet<FilterGroup> {
    const found = new Set(this.#others);
    for (const [field, byValue] of this.#required) {
      for (const tags of tagStates(settings)) {
        const value = valueOf(field, series, tags);
        (value === undefined ? [] : (byValue.get(String(value)) ?? [])).forEach((each) => found.add(each));
      }
    }
    return found;
  }

  #add(stored: StoredGroup): void {
    const { name: group, source } = stored.definition;
    this.#ofMembers.set(group, source.kind === 'members' && !stored.isRemoved);
    if (!stored.isRemoved) {
      this.#addSource(group, source);
    }
    const { groups, series } = stored.former;
    groups.forEach((child) => {
      leaveUnlessIn(this.#parents, child, group);
    });
    series.forEach(({ meter, channel }) => {
      leaveUnlessIn(this.#terms, seriesPath(meter, channel), group);
    });
    this.#addFilters(stored);
  }

  #addSource(group: string, source: GroupSource): void {
    if (source.kind === 'children') {
      source.children.forEach(({ group: child, fromMs, toMs }) => {
        push(this.#parents, child, { group, fromMs, toMs, factor: '1' });
      });
    }
    if (source.kind === 'terms') {
      source.terms.forEach(({ of, factor }) => {
        const membership = { group, fromMs: -instantMsMax, toMs: instantMsMax, factor };
        if ('group' in of) {
          push(this.#parents, of.group, membership);
        } else {
          push(this.#terms, seriesPath(of.meter, of.channel), membership);
        }
      });
    }
  }

  #addFilters({ definition, former, isRemoved }: StoredGroup): void {
    const { name: group, source, channel } = definition;
    const own = source.kind === 'filter' && !isRemoved ? channelFilter(source.filter, channel) : undefined;
    const earlier = former.filters.map((filter) => channelFilter(filter.filter, filter.channel));
    if (own === undefined && earlier.length === 0) {
      return;
    }
    const each: FilterGroup = { group, filter: own, former: earlier };
    const requirements = [...(own === undefined ? [] : [own]), ...earlier].map(requirementOf);
    for (const requirement of requirements) {
      if (requirement === undefined) {
        this.#others.push(each);
      } else {
        requirement.values.forEach((value) => {
          const byValue = this.#required.get(requirement.field) ?? new Map<string, FilterGroup[]>();
          this.#required.set(requirement.field, byValue);
          push(byValue, String(value), each);
        });
      }
    }
  }
}

/** As the group takes series: of its own channel, unless its filter asks for the channel itself. */
export function channelFilter(text: string, channel: string): GroupFilter {
  const filter = parseFilter(text);
  return asksFor(filter, 'channel')
    ? filter
    : { is: 'and', parts: [filter, { is: 'in', field: 'channel', values: [channel] }] };
}

/** When a filter takes a series, ascending. */
export function spansOf(
  filter: GroupFilter,
  series: SeriesName,
  { tagPeriods }: Pick<SeriesSettings, 'tagPeriods'>,
): readonly Span[] {
  const spans: Span[] = [];
  tagPeriods.forEach(({ fromMs, tags }, index) => {
    if (matches(filter, series, tags)) {
      const toMs = tagPeriods[index + 1]?.fromMs ?? instantMsMax;
      const last = spans.at(-1);
      if (last?.toMs === fromMs) {
        spans[spans.length - 1] = { fromMs: last.fromMs, toMs };
      } else {
        spans.push({ fromMs, toMs });
      }
    }
  });
  return spans;
}

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** One that never holds where there are none: what was counted of it is to be withdrawn. */
function membershipsOver(group: string, spans: readonly { fromMs: number; toMs?: number }[]): readonly Membership[] {
  return spans.length === 0
    ? [left(group)]
    : spans.map(({ fromMs, toMs = instantMsMax }) => ({ group, fromMs, toMs, factor: '1' }));
}

/** Whether any of the filters takes it, or took it with tags that it had before they were changed. */
export function wasTaken(filters: readonly GroupFilter[], series: SeriesName, settings: SeriesSettings): boolean {
  return tagStates(settings).some((tags) => filters.some((filter) => matches(filter, series, tags)));
}

function tagStates({ tagPeriods, formerTags }: SeriesSettings): readonly Tags[] {
  return [...tagPeriods.map(({ tags }) => tags), ...formerTags];
}

function left(group: string): Membership {
  return { group, fromMs: 0, toMs: 0, factor: '1' };
}

function push<Value>(map: Map<string, Value[]>, name: string, value: Value): void {
  const known = map.get(name);
  if (known === undefined) {
    map.set(name, [value]);
  } else {
    known.push(value);
  }
}

function leaveUnlessIn(map: Map<string, Membership[]>, name: string, group: string): void {
  if (map.get(name)?.some((each) => each.group === group) !== true) {
    push(map, name, left(group));
  }
}
