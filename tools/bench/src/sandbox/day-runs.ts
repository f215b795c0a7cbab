import { calendarOf, dayMs } from '@meterflow/aggregates';
import { BatchBuilder, rawVersion, ReadingRow, type ReadingColumns } from '@meterflow/readings';
import {
  channelNeeds,
  flowOf,
  localDays,
  SeriesWindows,
  stockRules,
  type Flow,
  type SeriesNeeds,
  type SeriesRun,
  type StockRule,
} from '@meterflow/rules';

const checks = [
  ...['interval-spike', 'sum-check', 'usage-high-low', 'zero-run', 'equal-run', 'negative-consumption', 'gap-check'],
  ...['interval-grid', 'dst-hour', 'plausible-power'],
];

/** The ten stock checks in one flow: it looks at days, two weeks back and one day ahead, and at the register. */
export const stockChecks: Flow = flowOf(
  'stock checks',
  checks.map((name) => ({ rule: (stockRules.get(name) as StockRule).version, parameters: {} })),
);

const series = { meter: 'meter', channel: 'import' };
const needs = channelNeeds(stockChecks, series) as SeriesNeeds;
const firstDay = Date.UTC(2024, 0, 1) / dayMs;
const intervalMs = 900_000;
export const slotsPerDay = dayMs / intervalMs;

/** Consecutive days of a series of each tenant, made ready for the sandbox when they are asked for, as the stage does. */
export class TenantDays {
  readonly #windows: readonly SeriesWindows[];
  readonly #daysEach: number;

  constructor(tenants: number, daysEach: number) {
    const count = needs.lookBackDays + daysEach + needs.lookAheadDays;
    const days = localDays(calendarOf('UTC'), firstDay, count);
    const own = columnsOf('import', count);
    const register = columnsOf('register', count);
    this.#daysEach = daysEach;
    this.#windows = Array.from({ length: tenants }, (_, tenant) => {
      const facts = { tenant: `tenant-${tenant}`, series, unit: 'kWh', tagsAt: () => ({}), days, activation: 1 };
      return new SeriesWindows(
        { ...facts, closedThroughMs: days.startMs.at(-1) as number },
        { channel: 'import', intervalMsAt: () => intervalMs, columns: own },
        needs.reads.map((channel) => ({ channel, intervalMsAt: () => undefined, columns: register })),
      );
    });
  }

  /** Tenants in turn, so that no isolate has two runs after each other; days follow each other. */
  run(index: number, daysTogether: number): SeriesRun {
    const windows = this.#windows[index % this.#windows.length] as SeriesWindows;
    const turn = Math.floor(index / this.#windows.length) % Math.floor(this.#daysEach / daysTogether);
    const first = needs.lookBackDays + turn * daysTogether;
    const days = Array.from({ length: daysTogether }, (_, day) => first + day);
    return windows.runs(days, { backDays: needs.lookBackDays, aheadDays: needs.lookAheadDays })[0] as SeriesRun;
  }
}

/** By days, as stores give them: quarter-hours with values that no check minds, or a register read once a day. */
function columnsOf(channel: string, days: number): readonly ReadingColumns[] {
  const registers = channel === 'register';
  let total = 0;
  return Array.from({ length: days }, (_, day) => {
    const builder = new BatchBuilder();
    const row = new ReadingRow();
    row.series = builder.series(series.meter, channel);
    row.unit = builder.text('kWh');
    row.version = builder.version(rawVersion(0, 1));
    row.decimals = 3;
    row.lengthMs = registers ? 0 : intervalMs;
    for (let slot = 0; slot < slotsPerDay; slot++) {
      const integer = 200 + (((day * slotsPerDay + slot) * 7_919) % 300);
      if (!registers || slot === 0) {
        row.startMs = (firstDay + day) * dayMs + slot * intervalMs;
        row.integer = registers ? total : integer;
        builder.append(row);
      }
      total += integer;
    }
    return builder.finish({ tenant: '', layer: 'raw', sourceId: '', acceptedAtMs: 1, activation: 0 }).columns;
  });
}
