import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as turn } from 'node:timers/promises';
import type { Erased, Erasure, ErasureScope } from '@meterflow/idempotent-writes';
import { overwriting } from '../database.ts';
import type { StoreFile } from './store-file.ts';
import { wholeMeter } from './series-schema.ts';

export interface ErasableTables {
  /** Tables whose key is a series' id times `keysPerSeries` and something below. */
  readonly tables: readonly string[];
  readonly historyTables: readonly string[];
  /** Deleted with them, and not counted: they hold no readings. */
  readonly otherTables?: readonly string[];
  readonly keysPerSeries: number;
  /** What holds the key, where it is not called so. */
  readonly keyColumn?: string;
}

/** Series deleted between two turns of the event loop. */
const seriesPerTurn = 16;

/**
 * Deletes and leaves a tombstone, in one transaction; the deleted bytes are overwritten, also in the log, as soon as no
 * reader is at them. Where there is such a tombstone already nothing is deleted: what is there came after it. Other work
 * of this process goes on meanwhile, other writers wait: `store` must be opened for this alone.
 */
export async function erase(store: StoreFile, erasure: Erasure, tables: ErasableTables): Promise<Erased> {
  return store.named(() => overwriting(store.database, () => eraseAll(store.database, erasure, tables)));
}

/** What a look at the file finds of it, by the same names. */
export function found(store: StoreFile, erasure: ErasureScope, tables: ErasableTables): Erased {
  return store.read(() => {
    const tenant = store.database.prepare('select id from tenants where name = ?').get(erasure.tenant);
    const ids = tenant === undefined ? [] : seriesOf(store.database, Number(tenant['id']), erasure.series);
    const counts = ids.map((id) => count(store.database, 'select count(*) as rows from', { id, ...tables }));
    return { series: counts.filter(({ rows, historyRows }) => rows + historyRows > 0).length, ...sumOf(counts) };
  });
}

async function eraseAll(database: DatabaseSync, erasure: Erasure, tables: ErasableTables): Promise<Erased> {
  const { tenant, series, upTo } = erasure;
  if (erasedTo(database, erasure) >= upTo) {
    return { series: 0, rows: 0, historyRows: 0 };
  }
  const tenantId = entombTenant(database, tenant, series === undefined ? upTo : -1);
  if (series !== undefined) {
    entombSeries(database, tenantId, { ...series, upTo });
  }
  const ids = seriesOf(database, tenantId, series);
  const raise = database.prepare('update series set erasedTo = max(erasedTo, ?) where id = ?');
  const erased: Omit<Erased, 'series'>[] = [];
  for (const [index, id] of ids.entries()) {
    erased.push(count(database, 'delete from', { id, ...tables }));
    if (series !== undefined) {
      raise.run(upTo, id);
    }
    if (index % seriesPerTurn === 0) {
      await turn();
    }
  }
  if (series === undefined) {
    database.prepare('delete from series where tenant = ?').run(tenantId);
  }
  return { series: ids.length, ...sumOf(erased) };
}

/** What is at or below this was erased of the whole scope; -1 for nothing. */
function erasedTo(database: DatabaseSync, { tenant, series }: ErasureScope): number {
  const { meter = null, channel = wholeMeter } = series ?? {};
  const newest = database
    .prepare(
      `select max(tenants.erasedTo, coalesce(max(series.erasedTo), -1)) as erasedTo from tenants
       left join series on tenant = tenants.id and meter = ? and channel in (?, '${wholeMeter}') where name = ?`,
    )
    .get(meter, channel, tenant);
  return Number(newest?.['erasedTo'] ?? -1);
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

function entombSeries(
  database: DatabaseSync,
  tenantId: number,
  { meter, channel = wholeMeter, upTo }: { meter: string; channel?: string; upTo: number },
): void {
  database
    .prepare(
      `insert into series (tenant, meter, channel, erasedTo) values (?, ?, ?, ?)
       on conflict do update set erasedTo = max(erasedTo, excluded.erasedTo)`,
    )
    .run(tenantId, meter, channel, upTo);
}

function seriesOf(database: DatabaseSync, tenantId: number, series: Erasure['series']): readonly number[] {
  const { meter = null, channel = null } = series ?? {};
  return database
    .prepare(
      `select id from series where tenant = ? and meter = coalesce(?, meter) and channel = coalesce(?, channel)
       and channel <> '${wholeMeter}' order by id`,
    )
    .all(tenantId, meter, channel)
    .map(({ id }) => Number(id));
}

/** Of one series: rows that the statement, to be ended with a table's name, counts or deletes. */
function count(
  database: DatabaseSync,
  statement: 'delete from' | 'select count(*) as rows from',
  {
    id,
    tables,
    historyTables,
    otherTables = [],
    keysPerSeries,
    keyColumn = 'key',
  }: ErasableTables & { readonly id: number },
): Omit<Erased, 'series'> {
  const countOf = (names: readonly string[]): number =>
    names.reduce((sum, name) => {
      const run = database.prepare(`${statement} ${name} where ${keyColumn} >= ? and ${keyColumn} < ?`);
      const keys = [id * keysPerSeries, (id + 1) * keysPerSeries] as const;
      const rows = statement === 'delete from' ? run.run(...keys).changes : run.get(...keys)?.['rows'];
      return sum + Number(rows);
    }, 0);
  if (statement === 'delete from') {
    countOf(otherTables);
  }
  return { rows: countOf(tables), historyRows: countOf(historyTables) };
}

function sumOf(counts: readonly Omit<Erased, 'series'>[]): Omit<Erased, 'series'> {
  return {
    rows: counts.reduce((sum, { rows }) => sum + rows, 0),
    historyRows: counts.reduce((sum, { historyRows }) => sum + historyRows, 0),
  };
}
