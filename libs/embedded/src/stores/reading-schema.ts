import { dayMax } from '@meterflow/idempotent-writes';
import { ledgerSchema } from './ledger-rows.ts';
import { seriesSchema } from './series-schema.ts';

/** A day's key is its series' id times this plus the day: the days of a series lie together, in order. */
export const daysPerSeries = dayMax;

/** `days`: the latest readings of each series-day. `history`: what they superseded, in the same form. */
export const readingSchema = `
${seriesSchema}
create table days (
  key integer primary key,
  segment blob not null
) strict;
create table history (
  id integer primary key,
  key integer not null,
  segment blob not null
) strict;
create index historyByKey on history (key);
${ledgerSchema}`;
