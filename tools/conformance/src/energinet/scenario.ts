import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { instantMsMax } from '@meterflow/registry';
import { parse } from 'yaml';
import { z } from 'zod';
import { csvTable, type CsvRow } from './csv-table.ts';

/** What a scenario gives: the folder `when` of a case. Instants in milliseconds, spans half-open. */
export interface Scenario {
  readonly gridAreas: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
  readonly calculationType: string;
  readonly calculationId: string;
  readonly startedAtMs: number;
  readonly timeZone: string;
  /** Periods that end by then are settled in hours, all others in quarters. */
  readonly quartersFromMs: number;
  readonly periods: readonly MeteringPointPeriod[];
  readonly points: readonly CsvRow[];
  readonly gridLossIds: ReadonlySet<string>;
}

/** Master data of a metering point from one change to the next. Texts are empty where nothing is known. */
export interface MeteringPointPeriod {
  readonly id: string;
  readonly type: string;
  readonly settlementMethod: string;
  readonly gridArea: string;
  readonly resolution: string;
  readonly fromArea: string;
  readonly toArea: string;
  readonly supplier: string;
  readonly balanceResponsible: string;
  readonly fromMs: number;
  readonly toMs: number;
}

const argumentsSchema = z
  .array(
    z.object({
      'grid-areas': z.array(z.string()),
      'calculation-id': z.string(),
      'period-start-datetime': z.string(),
      'period-end-datetime': z.string(),
      'calculation-type': z.string(),
      'calculation-execution-time-start': z.string(),
      'quarterly-resolution-transition-datetime': z.string().optional(),
      time_zone: z.string().optional(),
    }),
  )
  .min(1);

/** What its authors run the scenarios with where the arguments name nothing else. */
const quartersFromDefault = '2023-01-31 23:00:00';
const timeZoneDefault = 'Europe/Copenhagen';

/** Reads the folder of one scenario. Throws Error naming what is wrong with it. */
export async function readScenario(folder: string): Promise<Scenario> {
  const file = (name: string): string => join(folder, 'when', name);
  // Plain texts throughout: a grid area 031 that nobody quoted is no number.
  const argumentText = await readFile(file('calculation_arguments.yml'), 'utf8');
  const [told] = argumentsSchema.parse(parse(argumentText, { schema: 'failsafe' }));
  if (told === undefined) {
    throw new Error('no arguments');
  }
  return {
    gridAreas: told['grid-areas'],
    fromMs: instantMs(told['period-start-datetime']),
    toMs: instantMs(told['period-end-datetime']),
    calculationType: told['calculation-type'],
    calculationId: told['calculation-id'],
    startedAtMs: instantMs(told['calculation-execution-time-start']),
    timeZone: told.time_zone ?? timeZoneDefault,
    quartersFromMs: instantMs(told['quarterly-resolution-transition-datetime'] ?? quartersFromDefault),
    periods: csvTable(await readFile(file('metering_point_periods.csv'), 'utf8')).map(periodOf),
    points: await optionalTable(file('time_series_points.csv')),
    gridLossIds: new Set(
      (await optionalTable(file('grid_loss_metering_points.csv'))).map((row) => row['metering_point_id'] ?? ''),
    ),
  };
}

/** A scenario without the file has none of what it lists. */
async function optionalTable(path: string): Promise<readonly CsvRow[]> {
  return existsSync(path) ? csvTable(await readFile(path, 'utf8')) : [];
}

/** `2023-07-02 02:00:00` or `2023-07-02T02:00:00Z`, both in UTC, or with the offset of another zone. */
export function instantMs(written: string): number {
  const iso = written.trim().replace(' ', 'T');
  const instant = Date.parse(/(Z|[+-]\d\d:?\d\d)$/i.test(iso) || !iso.includes('T') ? iso : `${iso}Z`);
  if (Number.isNaN(instant)) {
    throw new Error(`"${written}" is no instant`);
  }
  return instant;
}

function periodOf(row: CsvRow): MeteringPointPeriod {
  const field = (name: string): string => row[name] ?? '';
  return {
    id: field('metering_point_id'),
    type: field('type'),
    settlementMethod: field('settlement_method'),
    gridArea: field('grid_area_code'),
    resolution: field('resolution'),
    fromArea: field('from_grid_area_code'),
    toArea: field('to_grid_area_code'),
    supplier: field('energy_supplier_id'),
    balanceResponsible: field('balance_responsible_party_id'),
    fromMs: instantMs(field('from_date')),
    toMs: field('to_date') === '' ? instantMsMax : instantMs(field('to_date')),
  };
}
