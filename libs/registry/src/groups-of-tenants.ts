import { setImmediate } from 'node:timers/promises';
import type { SeriesName } from '@meterflow/readings';
import { ChangeLog } from './change-log.ts';
import type { GroupFilter } from './group-filter.ts';
import { channelFilter, GroupIndex, spansOf, wasTaken } from './group-index.ts';
import { GroupRegistry, partsOf, termSeries, type StoredGroup } from './group-registry.ts';
import type { GroupDefinition, GroupsSnapshot, Member, Membership, MembersPage } from './groups.ts';
import { instantMsMax } from './instants.ts';
import type { Registry } from './registry.ts';
import { seriesOfPath } from './series-path.ts';
import { memberEntry, type SeriesRegistry, type SeriesRegistryPorts } from './series-registry.ts';
import { periodsOf, type Validity } from './timeline.ts';

export interface GroupsPorts extends SeriesRegistryPorts {
  readonly series: SeriesRegistry;
}

/** Members that are looked at together. */
const pageSeries = 500;
const tenantsCachedMax = 1_000;

interface Cached {
  readonly checkedMs: number;
  readonly revision: number;
  readonly groups: ReadonlyMap<string, StoredGroup>;
  readonly index: GroupIndex;
}

/** The groups of tenants, as they are no longer than `cacheMs` ago. Definitions are held in memory, series are not. */
export class Groups {
  readonly #ports: GroupsPorts;
  readonly #log: ChangeLog;
  readonly #registry: GroupRegistry;
  readonly #cached = new Map<string, Promise<Cached>>();

  constructor(ports: GroupsPorts) {
    this.#ports = ports;
    this.#log = new ChangeLog(ports.registry, 'group-changes');
    this.#registry = new GroupRegistry(ports.registry);
  }

  async snapshot(tenant: string): Promise<GroupsSnapshot> {
    const { groups, index, revision } = await this.#current(tenant);
    const { registry, series } = this.#ports;
    return new TenantGroups(tenant, { groups, index, version: revision, registry, series });
  }

  async #current(tenant: string): Promise<Cached> {
    const { nowMs, cacheMs } = this.#ports;
    const atMs = nowMs();
    const before = await this.#cached.get(tenant)?.catch(() => undefined);
    if (before !== undefined && atMs - before.checkedMs <= cacheMs) {
      return before;
    }
    const reading = this.#read(tenant, before, atMs);
    const [oldest] = this.#cached.keys();
    if (this.#cached.size >= tenantsCachedMax && oldest !== undefined) {
      this.#cached.delete(oldest);
    }
    this.#cached.set(tenant, reading);
    return reading;
  }

  async #read(tenant: string, before: Cached | undefined, checkedMs: number): Promise<Cached> {
    const { revision, names } = await this.#log.since(tenant, before?.revision ?? 0);
    if (before !== undefined && names?.length === 0) {
      return { ...before, checkedMs };
    }
    const groups =
      before === undefined || names === undefined
        ? await this.#all(tenant, revision)
        : await this.#changed(tenant, before.groups, names);
    return { checkedMs, revision, groups, index: new GroupIndex(groups.values()) };
  }

  async #all(tenant: string, revision: number): Promise<Map<string, StoredGroup>> {
    const groups = new Map<string, StoredGroup>();
    // Nothing was ever said of groups: nothing need be read.
    for await (const group of revision === 0 ? [] : this.#registry.all(tenant)) {
      groups.set(group.definition.name, group);
    }
    return groups;
  }

  async #changed(
    tenant: string,
    before: Cached['groups'],
    names: readonly string[],
  ): Promise<Map<string, StoredGroup>> {
    const groups = new Map(before);
    for (const name of new Set(names)) {
      const group = await this.#registry.get(tenant, name);
      if (group !== undefined) {
        groups.set(name, group);
      }
    }
    return groups;
  }
}

interface TenantGroupsParts extends Omit<Cached, 'checkedMs' | 'revision'> {
  readonly version: number;
  readonly registry: Registry;
  readonly series: SeriesRegistry;
}

class TenantGroups implements GroupsSnapshot {
  readonly version: number;
  readonly hasGroups: boolean;
  readonly #tenant: string;
  readonly #parts: TenantGroupsParts;

  constructor(tenant: string, parts: TenantGroupsParts) {
    this.#tenant = tenant;
    this.#parts = parts;
    this.version = parts.version;
    this.hasGroups = parts.groups.size > 0;
  }

  group(name: string): GroupDefinition | undefined {
    return this.#parts.groups.get(name)?.definition;
  }

  *groups(): Iterable<GroupDefinition> {
    const live = [...this.#parts.groups.values()].filter(({ isRemoved }) => !isRemoved);
    yield* live.map(({ definition }) => definition).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async membershipsOf(series: readonly SeriesName[]): Promise<readonly (readonly Membership[])[]> {
    if (!this.hasGroups) {
      return series.map(() => []);
    }
    const settings = await this.#parts.series.snapshotOf(this.#tenant, series);
    return series.map((each) => this.#parts.index.membershipsOf(each, settings.of(each.meter, each.channel)));
  }

  formerTimeZonesOf(group: string): readonly string[] {
    return this.#parts.groups.get(group)?.former.timeZones ?? [];
  }

  parentsOf(group: string): readonly Membership[] {
    return this.#parts.index.parentsOf(group);
  }

  async *membersOf(name: string): AsyncGenerator<Member> {
    let after: string | undefined;
    do {
      const { members, next } = await this.membersPage(name, after);
      yield* members;
      after = next;
      // There may be millions: everybody else has their turn.
      await setImmediate();
    } while (after !== undefined);
  }

  async membersPage(name: string, after?: string): Promise<MembersPage> {
    const stored = this.#parts.groups.get(name);
    if (stored === undefined || stored.isRemoved) {
      return { members: [] };
    }
    const { source, channel } = stored.definition;
    switch (source.kind) {
      case 'children':
        return pageOfList(source.children, after, ({ group, fromMs, toMs }) => ({
          ...{ of: { group }, fromMs, toMs, factor: '1' },
        }));
      case 'terms':
        return pageOfList(source.terms, after, ({ of, factor }) => ({
          ...{ of, fromMs: -instantMsMax, toMs: instantMsMax, factor },
        }));
      case 'members':
        return this.#named(name, after);
      case 'filter':
        return this.#taken(channelFilter(source.filter, channel), after);
    }
  }

  async *everIn(name: string): AsyncGenerator<SeriesName> {
    const filters: GroupFilter[] = [];
    for (const { definition, former } of this.#everBelow(name)) {
      yield* [...termSeries(definition), ...former.series];
      filters.push(...everFilters(definition, former));
      for await (const page of this.#pagesEver(definition.name)) {
        yield* page;
      }
    }
    if (filters.length > 0) {
      for await (const { series, settings } of this.#parts.series.all(this.#tenant)) {
        if (wasTaken(filters, series, settings)) {
          yield series;
        }
      }
    }
  }

  /** It, and all groups that were ever below it. */
  #everBelow(name: string): readonly StoredGroup[] {
    const found = new Map<string, StoredGroup>();
    const open = [name];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const group = this.#parts.groups.get(next);
      if (group !== undefined && !found.has(next)) {
        found.set(next, group);
        open.push(...partsOf(group.definition), ...group.former.groups);
      }
    }
    return [...found.values()];
  }

  async #taken(filter: GroupFilter, after: string | undefined): Promise<MembersPage> {
    const { series, next } = await this.#parts.series.page(this.#tenant, { limit: pageSeries, after });
    const members = series.flatMap((each) => membersOver(each.series, spansOf(filter, each.series, each.settings)));
    return { members, ...nextOf(next) };
  }

  /** The index names who may be a member, the series says when it is one. */
  async #named(group: string, after: string | undefined): Promise<MembersPage> {
    const { names, next } = await this.#pageEver(group, after);
    const settings = await this.#parts.series.snapshotOf(this.#tenant, names);
    const members = names.flatMap((each) =>
      membersOver(each, periodsOf(settings.of(each.meter, each.channel).groups[group] ?? [])),
    );
    return { members, ...nextOf(next) };
  }

  /** Whoever was made a member, page by page. */
  async *#pagesEver(group: string): AsyncGenerator<readonly SeriesName[]> {
    let after: string | undefined;
    do {
      const { names, next } = await this.#pageEver(group, after);
      yield names;
      after = next;
    } while (after !== undefined);
  }

  async #pageEver(
    group: string,
    after: string | undefined,
  ): Promise<{ readonly names: readonly SeriesName[]; readonly next: string | undefined }> {
    const prefix = memberEntry(this.#tenant, group, '');
    const from = after === undefined ? {} : { after: `${prefix}${after}` };
    const page = await this.#parts.registry.list('member', { prefix, limit: pageSeries, ...from });
    const paths = page.map((entry) => entry.name.slice(prefix.length));
    return { names: paths.map(seriesOfPath), next: page.length < pageSeries ? undefined : paths.at(-1) };
  }
}

function nextOf(next: string | undefined): Pick<MembersPage, 'next'> {
  return next === undefined ? {} : { next };
}

/** Of a list that is in memory: `after` counts what came before. */
function pageOfList<Each>(
  all: readonly Each[],
  after: string | undefined,
  member: (each: Each) => Member,
): MembersPage {
  const from = Number(after ?? 0) || 0;
  const to = from + pageSeries;
  return { members: all.slice(from, to).map(member), ...nextOf(to < all.length ? String(to) : undefined) };
}

function membersOver(of: SeriesName, spans: readonly Validity[]): readonly Member[] {
  return spans.map(({ fromMs, toMs = instantMsMax }) => ({ of, fromMs, toMs, factor: '1' }));
}

function everFilters({ source, channel }: GroupDefinition, former: StoredGroup['former']): readonly GroupFilter[] {
  const own = source.kind === 'filter' ? [{ filter: source.filter, channel }] : [];
  return [...own, ...former.filters].map((each) => channelFilter(each.filter, each.channel));
}
