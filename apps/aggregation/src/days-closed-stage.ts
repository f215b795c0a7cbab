import type { AggregateBatch } from '@meterflow/aggregates';
import { decodeStoredNotice, topicName, type Lane } from '@meterflow/contracts';
import type { StoredNotice } from '@meterflow/readings';
import type { Stage } from '@meterflow/stage';
import { byTenant } from './by-tenant.ts';
import {
  completeMessages,
  readDays,
  touchedDays,
  type CompletenessPorts,
  type TouchedDays,
} from './complete-windows.ts';
import { inputsOf } from './inputs-of.ts';
import { readRuns, type RunReads } from './read-runs.ts';
import { calendarOfZone, type SeriesZones } from './series-zones.ts';

export interface DaysClosedPorts extends CompletenessPorts {
  readonly zones: SeriesZones;
}

/** What is stored of the days that were closed of one tenant. */
export interface ClosedDaysRead {
  readonly touched: TouchedDays;
  readonly days: RunReads<AggregateBatch>;
}

export type DaysClosedStage = Stage<StoredNotice, readonly ClosedDaysRead[], never>;

/**
 * Tells on `windows.complete` of every series and day that a group of `days.closed` names, also of those of which nothing
 * ever came. What is stored of a closed day later is told by the stage of months, which looks how far days are closed.
 */
export function daysClosedStage(ports: DaysClosedPorts, { lane }: { readonly lane: Lane }): DaysClosedStage {
  const topic = topicName('windows.complete', lane);
  return {
    name: 'aggregation-days-closed',
    decode: ({ payload }) => decodeStoredNotice(payload),
    key: ({ tenant, key }) => `${tenant}/${key}`,
    // Nothing of a receipt waits for it.
    origin: ({ tenant, causes }) => ({ tenant, causes, layers: [] }),
    read: (inputs) => readTenants(ports, inputs),
    handle: (inputs, reads) => {
      const made = reads.flatMap(({ touched, days }) =>
        completeMessages(touched, { topic, sheetsOf: (run) => days.of(run) }),
      );
      const messages = made.map(({ message }) => message);
      return Promise.resolve({ writes: [], messages, messagesOf: inputsOf(made, inputs) });
    },
  };
}

async function readTenants(
  ports: DaysClosedPorts,
  inputs: readonly StoredNotice[],
): Promise<readonly ClosedDaysRead[]> {
  const reads: ClosedDaysRead[] = [];
  for (const [tenant, notices] of byTenant(inputs)) {
    const series = notices.flatMap(({ touched }) => touched.series);
    const zones = await ports.zones.snapshotOf(tenant, series);
    const touched = await touchedDays(ports, zones, { tenant, notices });
    const days = await readRuns(touched.plans, (run) => {
      const calendar = calendarOfZone(zones.of(run.series.meter, run.series.channel));
      const span = { fromMs: calendar.dayStartMs(run.first), toMs: calendar.dayStartMs(run.end) };
      return readDays(ports, { tenant, series: run.series, ...span });
    });
    reads.push({ touched, days });
  }
  return reads;
}
