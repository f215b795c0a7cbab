import type { DatabaseSync } from 'node:sqlite';
import { openDatabase, transaction } from '../database.ts';
import { foldEarlierLines, lineBlocks } from './earlier-lines.ts';
import { sourceErasures } from './erase-sources.ts';

const schema = `
  create table if not exists acceptances (
    row integer primary key,
    id text not null unique,
    tenant text not null,
    kind text not null,
    identity text not null,
    content_hash text not null,
    label text not null,
    mapping text not null,
    source_version real not null,
    activation real not null,
    readings_per_batch integer not null,
    accepted_at_ms real not null,
    starts_from_ms real not null default 0,
    interval_lengths text not null default '',
    unique (tenant, kind, identity)
  );
  create table if not exists deliveries (
    row integer primary key autoincrement,
    acceptance integer not null references acceptances (row),
    tenant text not null,
    number integer not null,
    source_id text not null unique,
    started_at_ms real not null,
    refuses_unknown integer,
    closing text,
    receipt text,
    unique (acceptance, number)
  );
  create index if not exists deliveries_of_tenant on deliveries (tenant, row);
  create table if not exists delivery_names (
    acceptance integer not null references acceptances (row),
    name text not null,
    delivery integer not null references deliveries (row),
    primary key (acceptance, name)
  ) without rowid;
  create table if not exists accepted_by_day (
    tenant text not null,
    day integer not null,
    accepted real not null,
    primary key (tenant, day)
  ) without rowid;
  create table if not exists rejects (
    delivery integer not null references deliveries (row),
    line real not null,
    reject text not null,
    primary key (delivery, line)
  ) without rowid;
`;
/** Tables that files of earlier builds have not; those builds leave them alone. */
const laterTables = `
  create table if not exists remarks (
    delivery integer not null references deliveries (row),
    line real not null,
    remark text not null,
    primary key (delivery, line)
  ) without rowid;
${lineBlocks}`;
const formatVersion = 1;

/** Opens (and makes) the file of acceptances, deliveries and rejected lines. */
export function openSourcesDatabase(file: string): DatabaseSync {
  const database = openDatabase(file, { schema, formatVersion, durability: 'full' });
  database.exec(sourceErasures);
  database.exec(laterTables);
  foldEarlierLines(database);
  addMissingColumns(database);
  return database;
}

/** Columns that files of earlier builds have not; those builds leave them alone. */
const laterColumns = [
  { table: 'acceptances', name: 'starts_from_ms', type: 'real not null default 0' },
  { table: 'acceptances', name: 'interval_lengths', type: "text not null default ''" },
  { table: 'deliveries', name: 'refuses_unknown', type: 'integer' },
] as const;

function addMissingColumns(database: DatabaseSync): void {
  const there = database.prepare('select 1 from pragma_table_info(?) where name = ?');
  const missing = (): (typeof laterColumns)[number][] =>
    laterColumns.filter(({ table, name }) => there.get(table, name) === undefined);
  if (missing().length > 0) {
    transaction(database, () => {
      // Asked again under the write lock: another process may have added them meanwhile.
      for (const { table, name, type } of missing()) {
        database.exec(`alter table ${table} add column ${name} ${type}`);
      }
    });
  }
}
