import {
  AggregateBatchBuilder,
  calendarOf,
  DaySheets,
  monthOfDay,
  SheetCursor,
  sumInteger,
  wholeWindow,
} from '@meterflow/aggregates';
import { formatDecimal, isUnit, unitExponent, type ReadingColumns, type SeriesName } from '@meterflow/readings';
import type { SeriesSettings } from '@meterflow/registry';

export type Side = 'before' | 'after';

/** The sum of a channel over a local day or month, over all meters, before and after. */
export interface WindowSum {
  readonly channel: string;
  readonly unit: string;
  /** `2024-01-31`, or `2024-01`. */
  readonly window: string;
  readonly before: string;
  readonly after: string;
}

interface Sum {
  integer: bigint;
  decimals: number;
}

interface Sums {
  readonly channel: string;
  /** The unit of the first that came; those that can be converted are added to it. */
  readonly unit: string;
  readonly window: string;
  readonly before: Sum;
  readonly after: Sum;
}

export interface DaysRequest {
  readonly series: SeriesName;
  readonly settings: Pick<SeriesSettings, 'timeZone' | 'intervals'>;
  /** Local days. */
  readonly firstDay: number;
  readonly endDay: number;
  readonly columns: readonly ReadingColumns[];
}

/** Daily and monthly sums over series, computed day by day just as the aggregation does. */
export class WindowSums {
  readonly #builder = new AggregateBatchBuilder();
  readonly #sheets = new DaySheets();
  readonly #days = new Map<string, Sums>();
  readonly #months = new Map<string, Sums>();

  /** Adds the days of one series on one side; returns their sum, which says how much of it there is, not in which unit. */
  add(side: Side, { series, settings, firstDay, endDay, columns }: DaysRequest): void {
    const { timeZone, intervals } = settings;
    const calendar = calendarOf(timeZone);
    const index = this.#builder.series(series.meter, series.channel);
    const request = { series: index, calendar, firstDay, endDay, intervals };
    this.#sheets.append(this.#builder, request, columns);
    const batch = this.#builder.finish({ tenant: '', level: 'day', ticket: 0, causes: [] });
    const cursor = new SheetCursor(batch);
    while (cursor.next()) {
      for (let row = cursor.rowsFrom; row < cursor.rowsTo; row++) {
        if (batch.rows.hour[row] === wholeWindow && batch.rows.count[row] !== 0) {
          const integer = sumInteger(batch.rows.sumHigh[row] as number, batch.rows.sumLow[row] as number);
          const day = calendar.dayOf(cursor.startMs);
          const sum = { integer, decimals: batch.decimals };
          const place = { channel: series.channel, unit: cursor.unit, side, sum };
          addTo(this.#days, { ...place, window: dayText(day) });
          addTo(this.#months, { ...place, window: monthText(monthOfDay(day)) });
        }
      }
    }
  }

  get days(): readonly WindowSum[] {
    return shown(this.#days);
  }

  get months(): readonly WindowSum[] {
    return shown(this.#months);
  }
}

interface Addition {
  readonly channel: string;
  readonly unit: string;
  readonly window: string;
  readonly side: Side;
  readonly sum: Sum;
}

function addTo(sums: Map<string, Sums>, { channel, unit, window, side, sum }: Addition): void {
  const name = `${window}\n${channel}\n${baseOf(unit)}`;
  let held = sums.get(name);
  if (held === undefined) {
    held = { channel, unit, window, before: { integer: 0n, decimals: 0 }, after: { integer: 0n, decimals: 0 } };
    sums.set(name, held);
  }
  const exponent = isUnit(unit) && isUnit(held.unit) ? (unitExponent(unit, held.unit) ?? 0) : 0;
  const total = held[side];
  const integer = sum.integer * 10n ** BigInt(Math.max(0, exponent));
  const decimals = sum.decimals + Math.max(0, -exponent);
  const common = Math.max(total.decimals, decimals);
  total.integer = total.integer * 10n ** BigInt(common - total.decimals) + integer * 10n ** BigInt(common - decimals);
  total.decimals = common;
}

/** What units that can be converted share. */
function baseOf(unit: string): string {
  return isUnit(unit)
    ? ((['Wh', 'varh', 'VAh', 'W', 'var', 'm3', 'J'] as const).find((base) => unitExponent(unit, base) !== undefined) ??
        unit)
    : unit;
}

function shown(sums: Map<string, Sums>): WindowSum[] {
  const rows = [...sums.values()].map(({ before, after, ...rest }) => ({
    ...rest,
    before: formatDecimal(before.integer, before.decimals),
    after: formatDecimal(after.integer, after.decimals),
  }));
  return rows.sort((a, b) => compare(a.channel, b.channel) || compare(a.unit, b.unit) || compare(a.window, b.window));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function dayText(day: number): string {
  return new Date(day * 86_400_000).toISOString().slice(0, 10);
}

function monthText(month: number): string {
  return new Date(Date.UTC(1970, month, 1)).toISOString().slice(0, 7);
}
