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

const channel = 'import';
const needs = channelNeeds(stockChecks, { meter: '', channel }) as SeriesNeeds;
const firstDay = Date.UTC(2024, 0, 1) / dayMs;
const intervalMs = 900_000;
export const slotsPerDay = dayMs / intervalMs;

/** Consecutive days of series of each tenant, made ready for the sandbox when they are asked for, as the stage does. */
export class TenantDays {
  /** Of each tenant, by series. */
  readonly #windows: readonly (readonly SeriesWindows[])[];
  readonly #daysEach: number;

  constructor(tenants: number, daysEach: number, seriesEach = 1) {
    const count = needs.lookBackDays + daysEach + needs.lookAheadDays;
    const days = localDays(calendarOf('UTC'), firstDay, count);
    const own = columnsOf(channel, count);
    const register = columnsOf('register', count);
    this.#daysEach = daysEach;
    this.#windows = Array.from({ length: tenants }, (_, tenant) =>
      Array.from({ length: seriesEach }, (__, meter) => {
        const series = { meter: `meter-${meter}`, channel };
        const facts = { tenant: `tenant-${tenant}`, series, unit: 'kWh', tagsAt: () => ({}), days, activation: 1 };
        return new SeriesWindows(
          { ...facts, closedThroughMs: days.startMs.at(-1) as number },
          { channel, intervalMsAt: () => intervalMs, columns: own },
          needs.reads.map((name) => ({ channel: name, intervalMsAt: () => undefined, columns: register })),
        );
      }),
    );
  }

  /** Tenants in turn, so that no isolate has two runs after each other; days follow each other. */
  run(index: number, daysTogether: number): SeriesRun {
    const [windows] = this.#windows[index % this.#windows.length] as [SeriesWindows];
    const turn = Math.floor(index / this.#windows.length) % Math.floor(this.#daysEach / daysTogether);
    return runOf(windows, { first: turn * daysTogether, count: daysTogether });
  }

  /** The same day of all series of a tenant, tenants and days in turn. */
  dayOfEach(index: number): SeriesRun[] {
    const windows = this.#windows[index % this.#windows.length] as readonly SeriesWindows[];
    const first = Math.floor(index / this.#windows.length) % this.#daysEach;
    return windows.map((each) => runOf(each, { first, count: 1 }));
  }
}

function runOf(
  windows: SeriesWindows,
  { first, count }: { readonly first: number; readonly count: number },
): SeriesRun {
  const { lookBackDays, lookAheadDays } = needs;
  const days = Array.from({ length: count }, (_, day) => lookBackDays + first + day);
  return windows.runs(days, { backDays: lookBackDays, aheadDays: lookAheadDays })[0] as SeriesRun;
}

/** By days, as stores give them: quarter-hours with values that no check minds, or a register read once a day. */
function columnsOf(name: string, days: number): readonly ReadingColumns[] {
  const registers = name === 'register';
  let total = 0;
  return Array.from({ length: days }, (_, day) => {
    const builder = new BatchBuilder();
    const row = new ReadingRow();
    row.series = builder.series('meter', name);
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
