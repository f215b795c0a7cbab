import type {
  ContributionCell,
  ContributionStore,
  ContributionWrite,
  ErasableStore,
  Erased,
  Erasure,
  NodeDay,
  StoredContribution,
} from '@meterflow/idempotent-writes';
import { Gathered } from '../client/gathered.ts';
import { requestMutationsMax } from '../client/limits.ts';
import type { RowChange, Table } from '../client/table.ts';
import { withStoredErrors } from '../readings/stored-errors.ts';
import { rowsUnder } from '../rows/scope-rows.ts';
import { parseSeriesKey, tenantKey } from '../rows/series-key.ts';
import type { Tombstones } from '../rows/tombstones.ts';
import { tables } from '../schema.ts';
import type { Mutation } from '../wire/mutations.ts';
import type { StoredRow } from '../wire/read-rows.ts';
import { chain, inQualifiers, withoutValues } from '../wire/row-filter.ts';
import {
  childPrefix,
  childQualifier,
  microsOf,
  nodeKey,
  parseChild,
  standingCells,
  type ChildCell,
} from './contribution-cell.ts';

const family = tables.contributions.cells;
/** Nodes of one read: each may have some hundred cells of some hundred bytes. */
const nodesTogetherMax = 100;
const cellsTogetherMax = 4_000;
const pageRows = 200;

interface Parts {
  readonly table: Table;
  readonly tombstones: Tombstones;
}

/**
 * What children give the nodes of groups. A write reads first which cells its children have, without their contents, and
 * takes away those that it outranks; of two writers at once both cells stay, readers take the higher ticket, and the next
 * write tidies up.
 */
export class BigtableContributionStore implements ContributionStore, ErasableStore {
  readonly #parts: Parts;
  readonly #nodes: Gathered<NodeDay, readonly StoredContribution[]>;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#nodes = new Gathered((nodes) => this.#readNodes(nodes), { weightMax: nodesTogetherMax, weightOf: () => 1 });
  }

  write(writes: readonly ContributionWrite[]): Promise<void> {
    return withStoredErrors(this.#parts.table.name, async () => {
      for (const { tenant, ticket, cells } of writes) {
        for (let from = 0; from < cells.length; from += cellsTogetherMax) {
          await this.#write({ tenant, ticket, cells: cells.slice(from, from + cellsTogetherMax) });
        }
      }
    });
  }

  read(node: NodeDay): Promise<readonly StoredContribution[]> {
    return withStoredErrors(this.#parts.table.name, () => this.#nodes.ask(node));
  }

  /** See ErasableStore; `upTo` is a ticket. Children lie in the rows of any group: all of the tenant's are looked at. */
  async erase(erasure: Erasure): Promise<Erased> {
    await this.#parts.tombstones.put(this.#parts.table, erasure);
    return this.#visit(erasure, (changes) => this.#parts.table.mutate(changes));
  }

  found(erasure: Erasure): Promise<Erased> {
    return this.#visit(erasure, () => Promise.resolve());
  }

  /** 1. What is there, by name; 2. in one change a row, what is new, and deletes of just what it outranks. */
  async #write({ tenant, ticket, cells }: ContributionWrite): Promise<void> {
    const { table } = this.#parts;
    const byRow = new Map<string, { readonly key: Buffer; readonly cells: ContributionCell[] }>();
    for (const cell of await this.#unerased(tenant, ticket, cells)) {
      const key = nodeKey({ tenant, node: cell.node, day: cell.day });
      const row = byRow.get(key.toString('latin1')) ?? { key, cells: [] };
      byRow.set(key.toString('latin1'), row);
      row.cells.push(cell);
    }
    // 1.
    const keys = [...byRow.values()].map(({ key }) => key);
    const filter = chain(inQualifiers({ family }), withoutValues);
    const known = new Map((await table.read({ keys, filter })).map((row) => [row.key.toString('latin1'), row]));
    // 2.
    const changes = [...byRow].flatMap(([name, row]): RowChange[] => changesOf(row, ticket, known.get(name)));
    await table.mutate(changes);
  }

  async #unerased(
    tenant: string,
    ticket: number,
    cells: readonly ContributionCell[],
  ): Promise<readonly ContributionCell[]> {
    const covered = await this.#coveredOf(
      tenant,
      cells.map(({ child }) => ({ child, ticket })),
    );
    return cells.filter((_, index) => !covered(index));
  }

  /** By index: whether it was erased. Asks for nothing more where all is newer than any erasure of the tenant. */
  async #coveredOf(
    tenant: string,
    given: readonly Pick<ChildCell, 'child' | 'ticket'>[],
    tenantRow?: StoredRow,
  ): Promise<(index: number) => boolean> {
    const { table, tombstones } = this.#parts;
    const row = tenantRow ?? (await table.readRow(tenantKey(tenant), tombstones.filter));
    const { all, newest } = tombstones.ofTenant(row);
    const suspect = given.some(({ ticket }) => ticket <= newest);
    const ofSeries = suspect
      ? await tombstones.ofSeries(table, { tenant, series: given.map(({ child }) => child) })
      : (): number => -1;
    return (index) => (given[index] as ChildCell).ticket <= Math.max(all, ofSeries(index));
  }

  async #readNodes(nodes: readonly NodeDay[]): Promise<readonly (readonly StoredContribution[])[]> {
    const { table, tombstones } = this.#parts;
    const keys = nodes.map(nodeKey);
    const tenants = [...new Set(nodes.map(({ tenant }) => tenant))].map(tenantKey);
    const unique = new Map([...keys, ...tenants].map((key) => [key.toString('latin1'), key]));
    const filter = tombstones.beside(inQualifiers({ family }));
    const rows = await table.read({ keys: [...unique.values()], filter });
    const byKey = new Map(rows.map((row) => [row.key.toString('latin1'), row]));
    return Promise.all(
      nodes.map(async ({ tenant }, index) => {
        const row = byKey.get((keys[index] as Buffer).toString('latin1'));
        const tenantRow = byKey.get(tenantKey(tenant).toString('latin1')) ?? { key: tenantKey(tenant), cells: [] };
        const standing = standingCells((row?.cells ?? []).filter((cell) => cell.family === family).map(parseChild));
        const covered = await this.#coveredOf(tenant, standing, tenantRow);
        return standing
          .filter((_, at) => !covered(at))
          .map(({ child, ticket, cell }) => ({ child, ticket, content: cell.value }));
      }),
    );
  }

  async #visit(erasure: Erasure, visit: (changes: readonly RowChange[]) => Promise<void>): Promise<Erased> {
    const { tenant, series, upTo } = erasure;
    const from = series === undefined ? undefined : childPrefix(series);
    const filter = inQualifiers({ family, ...(from === undefined ? {} : { from, to: behind(from) }) });
    const found = new Set<string>();
    let count = 0;
    for await (const page of rowsUnder(this.#parts.table, { tenant }, { filter, pageRows })) {
      const changes: RowChange[] = [];
      for (const { key, cells } of page.filter((row) => parseSeriesKey(row.key) !== undefined)) {
        const covered = cells.map(parseChild).filter(({ ticket }) => ticket <= upTo);
        covered.forEach(({ child }) => found.add(JSON.stringify(child)));
        count += covered.length;
        changes.push(...inRequests(key, covered.map(removal)));
      }
      await visit(changes);
    }
    return { series: found.size, rows: count, historyRows: 0 };
  }
}

/** The first qualifier that does not begin so: prefixes end in a zero byte. */
function behind(prefix: Buffer): Buffer {
  return Buffer.concat([prefix.subarray(0, -1), Buffer.of(1)]);
}

function changesOf(
  { key, cells }: { readonly key: Buffer; readonly cells: readonly ContributionCell[] },
  ticket: number,
  stored: StoredRow | undefined,
): RowChange[] {
  const known = Map.groupBy((stored?.cells ?? []).map(parseChild), ({ child }) =>
    childPrefix(child).toString('latin1'),
  );
  const mutations = cells.flatMap(({ child, day, content }): Mutation[] => {
    const before = known.get(childPrefix(child).toString('latin1')) ?? [];
    if (before.some((each) => each.ticket > ticket)) {
      return [];
    }
    const set = { family, qualifier: childQualifier(child, ticket, content), micros: microsOf(day), value: content };
    return [...before.filter((each) => each.ticket < ticket).map(removal), { set }];
  });
  return inRequests(key, mutations);
}

function removal({ cell: { qualifier, micros } }: ChildCell): Mutation {
  return { remove: { family, qualifier, micros } };
}

/** A row with more changes than one request may name gets several: each of them is good by itself. */
function inRequests(key: Buffer, mutations: readonly Mutation[]): RowChange[] {
  const changes: RowChange[] = [];
  for (let from = 0; from < mutations.length; from += requestMutationsMax) {
    changes.push({ key, mutations: mutations.slice(from, from + requestMutationsMax) });
  }
  return changes;
}
