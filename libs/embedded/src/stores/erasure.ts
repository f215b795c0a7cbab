import type { DatabaseSync } from 'node:sqlite';
import type { StoreFile } from './store-file.ts';

/** What to erase: a tenant, or one series of it. */
export interface Erasure {
  readonly tenant: string;
  readonly series?: { readonly meter: string; readonly channel: string };
  /**
   * The tombstone: nothing at or below it is ever stored again. For readings the instant of the erasure (batches
   * accepted up to it are ignored), for aggregates a ticket taken for it.
   */
  readonly upTo: number;
}

/** How much was there. The proof of an erasure prints it. */
export interface Erased {
  readonly series: number;
  readonly rows: number;
  readonly historyRows: number;
}

export interface ErasableTables {
  /** Tables whose key is a series' id times `keysPerSeries` and something below. */
  readonly tables: readonly string[];
  readonly historyTables: readonly string[];
  readonly keysPerSeries: number;
}

/**
 * Deletes and leaves a tombstone, in one transaction; the deleted bytes are overwritten, also in the log, as soon as no
 * reader is at them. Erasing again finds nothing and may raise the tombstone.
 */
export function erase(
  store: StoreFile,
  erasure: Erasure,
  { forget, ...tables }: ErasableTables & { forget: () => void },
): Erased {
  const { database } = store;
  const erased = store.write(forget, () => {
    database.exec('pragma secure_delete = on');
    const erasedNow =
      erasure.series === undefined ? eraseTenant(database, erasure, tables) : eraseSeries(database, erasure, tables);
    forget();
    return erasedNow;
  });
  store.read(() => {
    database.exec('pragma secure_delete = off');
    database.exec('pragma wal_checkpoint(truncate)');
  });
  return erased;
}

function eraseTenant(database: DatabaseSync, { tenant, upTo }: Erasure, tables: ErasableTables): Erased {
  const tenantId = entombTenant(database, tenant, upTo);
  const ids = database.prepare('select id from series where tenant = ?').all(tenantId);
  const erased = ids.map(({ id }) => eraseKeys(database, Number(id), tables));
  database.prepare('delete from series where tenant = ?').run(tenantId);
  return {
    series: ids.length,
    rows: erased.reduce((sum, { rows }) => sum + rows, 0),
    historyRows: erased.reduce((sum, { historyRows }) => sum + historyRows, 0),
  };
}

function eraseSeries(database: DatabaseSync, { tenant, series, upTo }: Erasure, tables: ErasableTables): Erased {
  const tenantId = entombTenant(database, tenant, -1);
  const row = database
    .prepare(
      `insert into series (tenant, meter, channel, erasedTo) values (?, ?, ?, ?)
       on conflict do update set erasedTo = max(erasedTo, excluded.erasedTo) returning id`,
    )
    .get(tenantId, series?.meter ?? '', series?.channel ?? '', upTo);
  return { series: 1, ...eraseKeys(database, Number(row?.['id']), tables) };
}

/** The tenant's id; its row is made where readings may still be under way. */
function entombTenant(database: DatabaseSync, tenant: string, upTo: number): number {
  const row = database
    .prepare(
      `insert into tenants (name, erasedTo) values (?, ?)
       on conflict do update set erasedTo = max(erasedTo, excluded.erasedTo) returning id`,
    )
    .get(tenant, upTo);
  return Number(row?.['id']);
}

function eraseKeys(
  database: DatabaseSync,
  id: number,
  { tables, historyTables, keysPerSeries }: ErasableTables,
): Omit<Erased, 'series'> {
  const count = (names: readonly string[]): number =>
    names.reduce((sum, name) => {
      const run = database.prepare(`delete from ${name} where key >= ? and key < ?`);
      return sum + Number(run.run(id * keysPerSeries, (id + 1) * keysPerSeries).changes);
    }, 0);
  return { rows: count(tables), historyRows: count(historyTables) };
}
