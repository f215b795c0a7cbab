/** Stands in place of a channel in the tombstone of a whole meter; no channel has this name. */
export const wholeMeter = '';

/** Names of series and their tombstones: the same tables in every store file, ids are each file's own. */
export const seriesSchema = `
create table tenants (
  id integer primary key,
  name text not null unique,
  erasedTo real not null default -1
) strict;
create table series (
  id integer primary key,
  tenant integer not null references tenants,
  meter text not null,
  channel text not null,
  erasedTo real not null default -1,
  unique (tenant, meter, channel)
) strict;`;
