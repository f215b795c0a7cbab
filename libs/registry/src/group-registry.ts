import { fitsSlots } from '@meterflow/aggregates';
import type { SeriesName } from '@meterflow/readings';
import { z } from 'zod';
import { changeEntry } from './change-entry.ts';
import { ChangeLog } from './change-log.ts';
import { entries } from './entries.ts';
import { groupDepthMax, groupSchema, groupsMax, type GroupDefinition, type GroupRequest } from './groups.ts';
import { parseEntry } from './parse-entry.ts';
import { RevisionConflictError, type Registry, type RegistryEntry } from './registry.ts';
import { seriesPath } from './series-path.ts';

/** So much of what a group held before is remembered, each kind: what came of it is to be withdrawn. */
const formerFiltersMax = 16;
const formerMax = 20_000;
const formerTimeZonesMax = 16;

const formerSchema = z.looseObject({
  filters: z.array(z.object({ filter: z.string(), channel: z.string() })),
  groups: z.array(z.string()),
  series: z.array(z.object({ meter: z.string(), channel: z.string() })),
  /** Zones that it had: what stands in their days and months is to be withdrawn. */
  timeZones: z.array(z.string()).default([]),
});
const storedSchema = z.looseObject({
  definition: z.looseObject({ ...groupSchema.shape }),
  former: formerSchema,
  isRemoved: z.boolean(),
});

/** A group as it is kept: also once it was removed, so that what came of it is withdrawn. */
export interface StoredGroup {
  readonly definition: GroupDefinition;
  readonly former: z.infer<typeof formerSchema>;
  readonly isRemoved: boolean;
  /** What the next change expects; 0 before the first. */
  readonly revision: number;
}

/** Thrown when there is no such group. */
export class UnknownGroupError extends Error {
  override readonly name = 'UnknownGroupError';
}

/** Thrown when a group can't be what is asked for: it would hold itself, or a group that is not there; or there are too many. */
export class GroupRefusedError extends Error {
  override readonly name = 'GroupRefusedError';
}

/** A tenant's groups, each an entry with a revision. */
export class GroupRegistry {
  readonly #registry: Registry;
  readonly #log: ChangeLog;

  constructor(registry: Registry) {
    this.#registry = registry;
    this.#log = new ChangeLog(registry, 'group-changes');
  }

  /** Undefined where it never was; see {@link StoredGroup.isRemoved}. */
  async get(tenant: string, name: string): Promise<StoredGroup | undefined> {
    const entry = await this.#registry.get('group', entryName(tenant, name));
    return entry === undefined ? undefined : storedOf(entry);
  }

  /** Live ones by name, those after `after`. */
  async list(
    tenant: string,
    page: { readonly limit: number; readonly after?: string },
  ): Promise<readonly StoredGroup[]> {
    const found: StoredGroup[] = [];
    let after = page.after === undefined ? undefined : entryName(tenant, page.after);
    for (;;) {
      const limit = page.limit - found.length;
      const prefix = `${tenant}/`;
      const entryPage = await this.#registry.list('group', {
        prefix,
        limit,
        ...(after === undefined ? {} : { after }),
      });
      found.push(...entryPage.map(storedOf).filter(({ isRemoved }) => !isRemoved));
      after = entryPage.at(-1)?.name;
      if (entryPage.length < limit || found.length >= page.limit || after === undefined) {
        return found;
      }
    }
  }

  /**
   * Makes or replaces a group. `revision`: the one it must have now, 0 for none. Throws ZodError for what is no group,
   * {@link GroupRefusedError}, RevisionConflictError.
   */
  async put(tenant: string, request: GroupRequest, revision?: number): Promise<StoredGroup> {
    const definition = groupSchema.parse(request);
    const known = await this.get(tenant, definition.name);
    await this.#checkBelow(tenant, definition);
    if (known === undefined) {
      await this.#count(tenant);
    }
    await this.#checkParents(tenant, definition, known);
    let replaced: StoredGroup | undefined;
    const put = await this.#change(tenant, definition.name, (before) => {
      expectRevision(before, revision);
      replaced = before;
      return { definition: shapedLike(before, definition), former: formerOf(before, definition), isRemoved: false };
    });
    try {
      // Once more, now that it is there: of two that do not go together, the later one at least sees both.
      await this.#checkBelow(tenant, definition);
      await this.#checkParents(tenant, definition, replaced);
    } catch (error) {
      await this.#takeBack(tenant, put, replaced);
      throw error;
    }
    return put;
  }

  /** As it was before; unless somebody has changed it since. */
  async #takeBack(tenant: string, put: StoredGroup, replaced: StoredGroup | undefined): Promise<void> {
    const nothing = { ...put.definition, source: { kind: 'members' } } as const;
    await this.#change(tenant, put.definition.name, (now) => {
      if (now?.revision !== put.revision) {
        throw new RevisionConflictError(`the group ${put.definition.name} was changed by somebody else meanwhile`);
      }
      const definition = replaced?.definition ?? nothing;
      return { definition, former: formerOf(put, definition), isRemoved: replaced?.isRemoved ?? true };
    });
  }

  /**
   * Throws {@link UnknownGroupError}; {@link GroupRefusedError} while another group counts it. What it gave is withdrawn once
   * its series are computed anew; whoever was interrupted before that removes it once more.
   */
  async remove(tenant: string, name: string, revision?: number): Promise<StoredGroup> {
    for await (const { definition, isRemoved } of this.all(tenant)) {
      if (!isRemoved && partsOf(definition).includes(name)) {
        throw new GroupRefusedError(`the group ${definition.name} counts ${name}: change it first`);
      }
    }
    return this.#change(tenant, name, (before) => {
      if (before === undefined) {
        throw new UnknownGroupError(`there is no group ${name}`);
      }
      if (before.isRemoved) {
        return before;
      }
      expectRevision(before, revision);
      const nothing = { ...before.definition, source: { kind: 'members' } } as const;
      return { definition: nothing, former: formerOf(before, nothing), isRemoved: true };
    });
  }

  /** Says of one that it may be another now: whoever changed it may have ended before it said so. Idempotent. */
  tellAgain(tenant: string, name: string): Promise<void> {
    return this.#log.note(tenant, [name]);
  }

  /** Every one, also those removed. */
  async *all(tenant: string): AsyncGenerator<StoredGroup> {
    for await (const entry of entries(this.#registry, 'group', `${tenant}/`)) {
      yield storedOf(entry);
    }
  }

  async #change(
    tenant: string,
    name: string,
    decide: (before: StoredGroup | undefined) => Omit<StoredGroup, 'revision'>,
  ): Promise<StoredGroup> {
    const target = { kind: 'group', name: entryName(tenant, name) } as const;
    let revision = 0;
    const value = await changeEntry(this.#registry, target, (entry) => {
      revision = (entry?.revision ?? 0) + 1;
      return decide(entry === undefined ? undefined : storedOf(entry));
    });
    await this.#log.note(tenant, [name]);
    return { ...value, revision };
  }

  /**
   * Those that count it would be given nothing by days or slots that are not theirs. Nobody counts a group that never was,
   * and who counts one whose days stay what they are has been looked at: then the tenant's groups need not be read.
   */
  async #checkParents(tenant: string, definition: GroupDefinition, before: StoredGroup | undefined): Promise<void> {
    if (before === undefined || (!before.isRemoved && hasSameDays(before.definition, definition))) {
      return;
    }
    for await (const parent of this.all(tenant)) {
      if (!parent.isRemoved && partsOf(parent.definition).includes(definition.name)) {
        checkAlike(definition, parent.definition);
      }
    }
  }

  /** What it counts must be there, and must not count it. Whoever reads groups goes no deeper than {@link groupDepthMax}. */
  async #checkBelow(tenant: string, definition: GroupDefinition): Promise<void> {
    const seen = new Set<string>();
    let level = partsOf(definition);
    for (let depth = 1; level.length > 0; depth++) {
      if (level.includes(definition.name)) {
        throw new GroupRefusedError(`the group ${definition.name} would count itself`);
      }
      if (depth > groupDepthMax) {
        throw new GroupRefusedError(`more than ${groupDepthMax} groups one below the other`);
      }
      const next: string[] = [];
      for (const name of level) {
        const below = await this.get(tenant, name);
        if (below === undefined || below.isRemoved) {
          throw new GroupRefusedError(`there is no group ${name}: make it first`);
        }
        if (depth === 1) {
          checkAlike(below.definition, definition);
        }
        next.push(...partsOf(below.definition));
      }
      level.forEach((name) => seen.add(name));
      level = [...new Set(next)].filter((name) => !seen.has(name) || name === definition.name);
    }
  }

  /** One more of them. */
  async #count(tenant: string): Promise<void> {
    const counter = { kind: 'setting', name: `${tenant}/group-count` } as const;
    await changeEntry(this.#registry, counter, (entry) => {
      const count = typeof entry?.value === 'number' ? entry.value : 0;
      if (count >= groupsMax) {
        throw new GroupRefusedError(`a tenant has ${groupsMax} groups at most`);
      }
      return count + 1;
    });
  }
}

function hasSameDays(a: GroupDefinition, b: GroupDefinition): boolean {
  return a.timeZone === b.timeZone && a.intervalMs === b.intervalMs;
}

/** Throws {@link GroupRefusedError} where a group could give the one that counts it nothing. */
function checkAlike(child: GroupDefinition, parent: GroupDefinition): void {
  if (child.timeZone !== parent.timeZone) {
    throw new GroupRefusedError(
      `${parent.name} has days of ${parent.timeZone}, and ${child.name}, which it counts, of ${child.timeZone}: give both one zone`,
    );
  }
  if (!fitsSlots(child.intervalMs, parent.intervalMs)) {
    throw new GroupRefusedError(
      `${parent.name} has slots of ${parent.intervalMs} ms, and ${child.name}, which it counts, of ${child.intervalMs} ms: ` +
        'one must divide the other',
    );
  }
}

/**
 * What members gave stands where the group's tree had them. In a tree of another shape, those that have left by then would
 * count again once it came back to this one.
 */
function shapedLike(before: StoredGroup | undefined, definition: GroupDefinition): GroupDefinition {
  const membersExpected = before?.definition.membersExpected;
  if (before === undefined || (definition.membersExpected ?? membersExpected) === membersExpected) {
    return membersExpected === undefined ? definition : { ...definition, membersExpected };
  }
  throw new GroupRefusedError(
    `${definition.name} was made for ${membersExpected ?? 'an unknown number of'} members, and stays so: make another group`,
  );
}

/** The groups that one counts directly. */
export function partsOf({ source }: GroupDefinition): readonly string[] {
  if (source.kind === 'children') {
    return source.children.map(({ group }) => group);
  }
  return source.kind === 'terms' ? source.terms.flatMap(({ of }) => ('group' in of ? [of.group] : [])) : [];
}

/** The series that an arithmetic group names. */
export function termSeries({ source }: GroupDefinition): readonly SeriesName[] {
  return source.kind === 'terms' ? source.terms.flatMap(({ of }) => ('group' in of ? [] : [of])) : [];
}

function expectRevision(before: StoredGroup | undefined, revision: number | undefined): void {
  const now = before === undefined || before.isRemoved ? 0 : before.revision;
  if (revision !== undefined && revision !== now) {
    throw new RevisionConflictError(`the group has revision ${now}, not ${revision}`);
  }
}

/** What the group held before and does not hold now. */
function formerOf(before: StoredGroup | undefined, now: GroupDefinition): StoredGroup['former'] {
  if (before === undefined) {
    return { filters: [], groups: [], series: [], timeZones: [] };
  }
  const { definition, former } = before;
  const { source, channel } = definition;
  const filters = source.kind === 'filter' ? [{ filter: source.filter, channel }, ...former.filters] : former.filters;
  const held = new Set(partsOf(now));
  const paths = new Set(termSeries(now).map(({ meter, channel: own }) => seriesPath(meter, own)));
  const series = new Map(
    [...termSeries(definition), ...former.series].map((each) => [seriesPath(each.meter, each.channel), each]),
  );
  const zones = new Set([definition.timeZone, ...former.timeZones]);
  zones.delete(now.timeZone);
  return {
    timeZones: [...zones].slice(0, formerTimeZonesMax),
    filters: distinctFilters(filters, now).slice(0, formerFiltersMax),
    groups: [...new Set([...partsOf(definition), ...former.groups])]
      .filter((each) => !held.has(each))
      .slice(0, formerMax),
    series: [...series].flatMap(([path, each]) => (paths.has(path) ? [] : [each])).slice(0, formerMax),
  };
}

function distinctFilters(
  filters: StoredGroup['former']['filters'],
  { source, channel }: GroupDefinition,
): StoredGroup['former']['filters'] {
  const own = source.kind === 'filter' ? JSON.stringify([source.filter, channel]) : '';
  const all = new Map(filters.map((each) => [JSON.stringify([each.filter, each.channel]), each]));
  all.delete(own);
  return [...all.values()];
}

function entryName(tenant: string, name: string): string {
  return `${tenant}/${encodeURIComponent(name)}`;
}

function storedOf(entry: RegistryEntry<unknown>): StoredGroup {
  return { ...parseEntry(storedSchema, entry), revision: entry.revision };
}
