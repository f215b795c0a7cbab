import { silentTelemetry, type Clock } from '@meterflow/stage';
import type { Layer } from '@meterflow/readings';
import { openWarehouse, type Warehouse } from '../open-warehouse.ts';
import { warehouseTables } from '../schema.ts';
import type { WarehouseLimits } from '../limits.ts';
import type { ReadingForm, SqlSinkUnderTest } from './describe-sql-sink.ts';
import type { DuckWarehouse } from './duck-warehouse.ts';
import { linesOf } from './lines-of.ts';
import { FakeBigQuery } from './fake-bigquery.ts';

/** A warehouse over the fake service, with a clock that passes as it is waited for. */
export function warehouseOn(
  fake: FakeBigQuery,
  limits: Partial<WarehouseLimits> = {},
  signal: AbortSignal = new AbortController().signal,
): { readonly warehouse: Warehouse; readonly clock: PassingClock } {
  const clock = new PassingClock();
  const quick = { callMs: 2_000, uploadMs: 2_000, loadIntervalMs: 0, ...limits };
  return {
    warehouse: openWarehouse({ location: fake.location, clock, telemetry: silentTelemetry, limits: quick, signal }),
    clock,
  };
}

/** Waiting takes no time, but the clock shows that it did. */
export class PassingClock implements Clock {
  now = 1_000_000;
  readonly waits: number[] = [];

  nowMs(): number {
    return this.now;
  }

  sleep(ms: number): Promise<void> {
    this.now += ms;
    this.waits.push(ms);
    return Promise.resolve();
  }
}

/** The whole sink, from the real client to another engine's rows. */
export async function sinkOnFake(): Promise<SqlSinkUnderTest> {
  const fake = await FakeBigQuery.start();
  fake.looks = 0;
  const { warehouse, clock } = warehouseOn(fake);
  return {
    readings: (layer) => warehouse.readings(layer),
    aggregates: warehouse.aggregates,
    erase: (erasure) => warehouse.erase(erasure),
    clear: async () => {
      for (const { name } of warehouseTables) {
        await fake.duck.run(`delete from ${name}`);
      }
    },
    setNow: (nowMs) => {
      clock.now = nowMs;
    },
    readingLines: (layer, ask) => duckReadings(fake.duck, viewName(layer, ask)),
    aggregateLines: async (form) => {
      const view = form === 'plain' ? 'aggregates_plain' : 'aggregates';
      return linesOf(
        await fake.duck.run(
          `select meter, resolution, epoch_ms(start), coalesce(sum::varchar, 'none'), "count", unit from ${view}`,
        ),
      );
    },
    close: () => fake.close(),
  };
}

function viewName(layer: Layer, ask: { form: ReadingForm } | { asOfMs: number }): string {
  const name = layer === 'raw' ? 'readings_raw' : 'readings';
  if ('asOfMs' in ask) {
    return `${name}_as_of(make_timestamptz(${ask.asOfMs}::bigint * 1000))`;
  }
  return ask.form === 'plain' ? `${name}_plain` : name;
}

async function duckReadings(duck: DuckWarehouse, view: string): Promise<string[]> {
  return linesOf(
    await duck.run(`select meter, epoch_ms(start), epoch_ms("end") - epoch_ms(start), value, unit, quality, version,
      reason from ${view}`),
  );
}
