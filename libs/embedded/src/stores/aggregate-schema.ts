import type { SheetLevel } from '@meterflow/aggregates';
import { ledgerSchema } from './ledger-rows.ts';
import { seriesSchema } from './series-schema.ts';

/**
 * A sheet's key is its series' id times `sheetsPerSeries` plus the half day that its window starts in. Half days: two
 * local days may start on one UTC day (23 hours apart, where clocks go forward), never within one half of it.
 */
export const halfDayMs = 43_200_000;
export const sheetsPerSeries = 2 ** 19;

export const sheetTables = { day: 'daySheets', month: 'monthSheets' } as const satisfies Record<SheetLevel, string>;

export const aggregateSchema = `
${seriesSchema}
create table daySheets (
  key integer primary key,
  sheet blob not null
) strict;
create table monthSheets (
  key integer primary key,
  sheet blob not null
) strict;
${ledgerSchema}`;
