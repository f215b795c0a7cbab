import type { DatabaseSync } from 'node:sqlite';
import type { DataDirectory } from '../data-directory.ts';
import { openDatabase } from '../database.ts';
import { letterErasures } from './erase-letters.ts';

/**
 * One row for each dead letter, and one for each ledger row that it stands for. A purged letter keeps both but its
 * payload, so that the receipts that wait for it come to an end.
 */
const deadLetterSchema = `
create table letters (
  id text primary key,
  state text not null check (state in ('dead', 'parked', 'purged')),
  stage text not null,
  subscription text not null,
  key text not null,
  tenant text not null,
  reasonCode text not null,
  reason text not null,
  attributes text not null,
  atMs integer not null,
  payload blob not null
) strict;
create index lettersByTime on letters (atMs, id);
create table causes (
  id text not null references letters,
  sourceId text not null,
  key text not null,
  part integer not null,
  parts integer not null,
  layer text not null,
  primary key (sourceId, key, part, layer, id)
) strict, without rowid;
create index causesById on causes (id);`;

export function openDeadLetterFile(directory: DataDirectory): DatabaseSync {
  const database = openDatabase(directory.state('dead-letters'), {
    schema: deadLetterSchema,
    formatVersion: 1,
    durability: 'full',
  });
  database.exec(letterErasures);
  return database;
}
