import { setImmediate } from 'node:timers/promises';
import type { ReadingStore } from '@meterflow/idempotent-writes';
import type { SeriesName } from '@meterflow/readings';
import type { ClosedDaysRegistry, SeriesRegistry } from '@meterflow/registry';
import { dayMs } from './query-span.ts';
import { compareSeries, type StoredRaw, type StoredSpan } from './reprocess/told-days.ts';

export interface KnownSeriesPorts {
  readonly stored: StoredRaw;
  readonly raw: Pick<ReadingStore, 'firstMs'>;
  readonly settings: Pick<SeriesRegistry, 'names' | 'snapshotOf'>;
  readonly closedDays: Pick<ClosedDaysRegistry, 'of'>;
}

/** After so many series everybody else has their turn: there may be millions. */
const turnEvery = 500;

/**
 * Every series that rules may have something to say about: those with raw readings, and those that are registered and
 * never sent any. Its days are those stored, and all closed ones since it began, of which nothing may ever have come.
 */
export class KnownSeries implements StoredRaw {
  readonly #ports: KnownSeriesPorts;

  constructor(ports: KnownSeriesPorts) {
    this.#ports = ports;
  }

  async *series(tenant: string): AsyncGenerator<SeriesName> {
    const { stored, settings } = this.#ports;
    const registered = settings.names(tenant);
    let next = await registered.next();
    let given = 0;
    for await (const series of stored.series(tenant)) {
      given += 1;
      if (given % turnEvery === 0) {
        await setImmediate();
      }
      for (; next.done !== true && compareSeries(next.value, series) < 0; next = await registered.next()) {
        yield next.value;
      }
      if (next.done !== true && compareSeries(next.value, series) === 0) {
        next = await registered.next();
      }
      yield series;
    }
    for (; next.done !== true; next = await registered.next()) {
      yield next.value;
    }
  }

  /** When the first reading is that is stored, or expected; undefined where nobody knows. */
  async firstMs(tenant: string, series: SeriesName): Promise<number | undefined> {
    const { settings } = this.#ports;
    const { sinceMs } = (await settings.snapshotOf(tenant, [series])).of(series.meter, series.channel);
    const storedMs = await this.storedMs(tenant, series);
    const firstMs = Math.min(sinceMs ?? Infinity, storedMs ?? Infinity);
    return Number.isFinite(firstMs) ? firstMs : undefined;
  }

  /** When the first reading is that is stored. */
  storedMs(tenant: string, series: SeriesName): Promise<number | undefined> {
    return this.#ports.raw.firstMs({ tenant, ...series, layer: 'raw' });
  }

  /** Where days were closed under a rule that looks at whole days: all up to there, else those stored. */
  async *spans(tenant: string, series: SeriesName): AsyncGenerator<StoredSpan> {
    const { stored, settings, closedDays } = this.#ports;
    const { timeZone } = (await settings.snapshotOf(tenant, [series])).of(series.meter, series.channel);
    const { closedThroughMs = 0, publishedThroughMs = 0 } = (await closedDays.of(tenant, timeZone)) ?? {};
    const firstMs = publishedThroughMs > 0 ? await this.firstMs(tenant, series) : undefined;
    if (firstMs === undefined || firstMs >= closedThroughMs) {
      yield* stored.spans(tenant, series);
      return;
    }
    const closedDay = Math.ceil(closedThroughMs / dayMs);
    yield { fromDay: Math.floor(firstMs / dayMs), toDay: closedDay };
    for await (const { fromDay, toDay } of stored.spans(tenant, series)) {
      if (toDay > closedDay) {
        yield { fromDay: Math.max(fromDay, closedDay), toDay };
      }
    }
  }
}
