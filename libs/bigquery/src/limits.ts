import { bulkStageLimits, type StageLimits } from '@meterflow/stage';

/** Every bound of a warehouse's jobs. */
export interface WarehouseLimits {
  /** One call. */
  readonly callMs: number;
  /** One upload of a file. */
  readonly uploadMs: number;
  /** So often is a job asked for; the service knows it by its id, so that it runs once. */
  readonly askMax: number;
  /** Between two tries, and between two looks at a job; doubled up to the greatest. */
  readonly pauseMs: number;
  readonly pauseMsMax: number;
  /** From the first try to the end of a job. */
  readonly jobMs: number;
  /**
   * Between the starts of two load jobs to one table by this process. BigQuery takes 1,500 loads a table and day and
   * 30,000 changes of its partitions, failed ones counted.
   */
  readonly loadIntervalMs: number;
  /** No load is tried for so long after a quota was used up: those that fail count too. */
  readonly quotaPauseMs: number;
}

export const warehouseLimits: WarehouseLimits = {
  callMs: 30_000,
  uploadMs: 300_000,
  askMax: 5,
  pauseMs: 500,
  pauseMsMax: 8_000,
  jobMs: 900_000,
  loadIntervalMs: 120_000,
  quotaPauseMs: 600_000,
};

/**
 * For the stage before a warehouse: groups as large as memory allows, so that few load jobs carry much. The messages bound
 * what a file of long stretches becomes (4,000 readings each: 280 MB), the bytes what comes one interval of many meters.
 */
export const warehouseStageLimits: StageLimits = {
  ...bulkStageLimits,
  groupMessagesMax: 1_024,
  groupBytesMax: 128 * 1024 * 1024,
  coalesceMs: 60_000,
};

/** What a process before a warehouse leases: a group in work, and the next one that gathers meanwhile. */
export const warehouseLeases = {
  leasesMax: 2 * warehouseStageLimits.groupMessagesMax,
  leasedBytesMax: 2 * warehouseStageLimits.groupBytesMax,
};

/** BigQuery's own bound, over all processes that load one table. */
export const loadsPerTableAndDayMax = 1_500;

/** So many readings a day does one process load into a table, of messages like these. */
export function warehouseReadingsPerDayMax(message: { readonly readings: number; readonly bytes: number }): number {
  const { groupMessagesMax, groupBytesMax } = warehouseStageLimits;
  const messages = Math.min(groupMessagesMax, Math.floor(groupBytesMax / message.bytes));
  return loadsPerDay() * messages * message.readings;
}

/** Of one process. */
export function loadsPerDay(): number {
  return Math.ceil(86_400_000 / warehouseLimits.loadIntervalMs);
}
