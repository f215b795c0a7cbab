import type { StatementSync } from 'node:sqlite';
import { setImmediate as turn } from 'node:timers/promises';
import type {
  ContributionStore,
  ContributionWrite,
  ErasableStore,
  Erased,
  Erasure,
  ErasureScope,
  NodeDay,
  StoredContribution,
} from '@meterflow/idempotent-writes';
import type { SeriesName } from '@meterflow/readings';
import { erase, found, type ErasableTables } from './erasure.ts';
import { SeriesIndex } from './series-index.ts';
import { seriesSchema } from './series-schema.ts';
import { StoreFile } from './store-file.ts';

/** A node's children of a day lie together: a node is one read. Nodes and children are both named in `series`. */
const schema = `
${seriesSchema}
create table contributions (
  node integer not null,
  day integer not null,
  child integer not null,
  ticket integer not null,
  content blob not null,
  primary key (node, day, child)
) strict, without rowid;
-- For erasures.
create index contributionsOfChild on contributions (child);`;

const erasable: ErasableTables = { tables: ['contributions'], historyTables: [], keysPerSeries: 1, keyColumn: 'child' };

interface ContributionRow {
  readonly meter: string;
  readonly channel: string;
  readonly ticket: number;
  readonly content: Uint8Array;
}

/** Opens the contributions; the file is made where there is none. Several processes may have it open. */
export function openContributionStore(options: { readonly file: string }): EmbeddedContributionStore {
  return new EmbeddedContributionStore(options);
}

/** What children give the nodes of groups, in one SQLite file. Reads see the last commit and hold up no writer. */
export class EmbeddedContributionStore implements ContributionStore, ErasableStore {
  readonly #store: StoreFile;
  readonly #index: SeriesIndex;
  readonly #put: StatementSync;
  readonly #read: StatementSync;

  constructor({ file }: { readonly file: string }) {
    this.#store = new StoreFile({ file, schema });
    const { database } = this.#store;
    this.#index = new SeriesIndex(database);
    this.#put = database.prepare(
      `insert into contributions values (?, ?, ?, ?, ?)
       on conflict do update set ticket = excluded.ticket, content = excluded.content
       where excluded.ticket > ticket or (excluded.ticket = ticket and excluded.content > content)`,
    );
    this.#read = database.prepare(
      `select child.meter, child.channel, ticket, content from tenants
       join series as node on node.tenant = tenants.id and node.meter = ? and node.channel = ?
       join contributions on node = node.id and day = ?
       join series as child on child.id = child
       where tenants.name = ?`,
    );
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the file is written at once; errors reject
  async write(writes: readonly ContributionWrite[]): Promise<void> {
    const forget = (): void => {
      this.#index.forget();
    };
    this.#store.write(forget, () => {
      for (const each of writes) {
        this.#write(each);
      }
    });
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the file is read at once; errors reject
  async read({ tenant, node, day }: NodeDay): Promise<readonly StoredContribution[]> {
    return this.#store.read(() => {
      const rows = this.#read.all(node.meter, node.channel, day, tenant) as unknown as ContributionRow[];
      return rows.map(({ meter, channel, ticket, content }) => ({ child: { meter, channel }, ticket, content }));
    });
  }

  /** Deletes for good what a series or a tenant gave; contributions of tickets up to `upTo` stay out. */
  async erase(erasure: Erasure): Promise<Erased> {
    // A connection of its own: the transaction stays open over turns.
    const store = new StoreFile({ file: this.#store.file, schema });
    try {
      return await erase(store, erasure, erasable);
    } finally {
      store.close();
    }
  }

  async found(erasure: ErasureScope): Promise<Erased> {
    await turn();
    return found(this.#store, erasure, erasable);
  }

  close(): void {
    this.#store.close();
  }

  #write({ tenant, ticket, cells }: ContributionWrite): void {
    // Days of one child at one node come one after the other.
    let last: { readonly node: SeriesName; readonly child: SeriesName } | undefined;
    let [nodeId, childId, erasedTo] = [0, 0, 0];
    for (const { node, day, child, content } of cells) {
      if (last?.node !== node || last.child !== child) {
        last = { node, child };
        ({ id: childId, erasedTo } = this.#index.series(tenant, child));
        nodeId = ticket > erasedTo ? this.#index.series(tenant, node).id : 0;
      }
      if (ticket > erasedTo) {
        this.#put.run(nodeId, day, childId, ticket, content);
      }
    }
  }
}
