import { randomUUID } from 'node:crypto';
import type { AggregateWrite, ReadingWrite } from '@meterflow/idempotent-writes';
import type { Layer } from '@meterflow/readings';
import type { Clock, Sink, Telemetry } from '@meterflow/stage';
import { aggregateRows } from './aggregate-rows.ts';
import { BigQueryApi, type WarehouseLocation } from './api.ts';
import { erase, type WarehouseErasure } from './erasure.ts';
import { Jobs } from './jobs.ts';
import { warehouseLimits, type WarehouseLimits } from './limits.ts';
import { LoadSink, type LoadSinkOptions } from './load-sink.ts';
import { Provisioning, type Drift } from './provision.ts';
import { readingRows } from './reading-rows.ts';
import { aggregateTable, readingTables, type TableSchema } from './schema.ts';

export interface WarehouseOptions {
  readonly location: WarehouseLocation;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Aborts when the process drains: loads then no longer wait for their turn, nor are they tried again. */
  readonly signal?: AbortSignal;
  readonly limits?: Partial<WarehouseLimits>;
}

/**
 * BigQuery as a sink of readings and aggregates, beside the primary store: it says no `…stored` and knows no outcomes.
 * Writes are durable and visible when they resolve, which takes minutes, and as long as BigQuery is down or a quota is used
 * up. They reject with TransientError once the signal has aborted, PermanentError for rows that BigQuery refuses,
 * FatalError where a table or a right is missing.
 */
export interface Warehouse {
  readings(layer: Layer): Sink<ReadingWrite>;
  readonly aggregates: Sink<AggregateWrite>;
  /** What is other than this build needs it. */
  drift(): Promise<readonly Drift[]>;
  /** Mends all drift that can be, and returns what remains. */
  provision(): Promise<readonly Drift[]>;
  /** Resolves to the number of rows erased. */
  erase(erasure: WarehouseErasure): Promise<number>;
}

/** Opens no connection; the first call does. */
export function openWarehouse(options: WarehouseOptions): Warehouse {
  const { location, clock, telemetry, signal = new AbortController().signal } = options;
  const limits = { ...warehouseLimits, ...options.limits };
  const api = new BigQueryApi(location, limits);
  const jobs = new Jobs({ api, clock, limits, newId: () => `meterflow-${randomUUID()}` });
  const provisioning = new Provisioning(api, jobs);
  const sink = <Write>(table: TableSchema, rows: LoadSinkOptions<Write>['rows']): Sink<Write> => {
    const fits = (): Promise<boolean> => provisioning.fits(table);
    return new LoadSink({ table: table.name, rows, jobs, fits, clock, limits, telemetry, signal });
  };
  const readings = {
    raw: sink(readingTables.raw, readingRows),
    validated: sink(readingTables.validated, readingRows),
  };
  return {
    readings: (layer) => readings[layer],
    aggregates: sink(aggregateTable, aggregateRows),
    drift: () => provisioning.drift(),
    provision: async () => {
      for (const { mend } of await provisioning.drift()) {
        await mend?.();
      }
      return provisioning.drift();
    },
    erase: (erasure) => erase(jobs, (name) => `\`${location.projectId}.${location.dataset}.${name}\``, erasure),
  };
}
