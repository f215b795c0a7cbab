import { calendarOf, type Calendar, type Covered, type RegisteredIntervals } from '@meterflow/aggregates';
import type { SeriesName } from '@meterflow/readings';

/** What aggregation must know of a series beside its readings. */
export interface SeriesZone {
  /** IANA name: whose local days and months are aggregated. */
  readonly timeZone: string;
  /** Zones that it had before, where there are any: their days and months are withdrawn. */
  readonly formerTimeZones?: readonly string[];
  /** The registered lengths of its intervals over time; where there is none, the most common one of each day counts. */
  readonly intervals?: RegisteredIntervals;
  /** Quality codes of the source whose readings must not be billed. */
  readonly notBillableCodes?: readonly string[];
  /** The tenant's calendars that it is aggregated by as well, and those that it was. */
  readonly calendars?: readonly string[];
  readonly formerCalendars?: readonly string[];
  /** What the clock shows when its days begin; 0 unless told. */
  readonly dayStartsAtMs?: number;
  /** Of a register: the parts of a span that it takes. */
  readonly covered?: Covered;
}

const noCodes: ReadonlySet<string> = new Set();

/** The codes as days are computed with them. */
export function notBillableOf({ notBillableCodes = [] }: SeriesZone): ReadonlySet<string> {
  return notBillableCodes.length === 0 ? noCodes : new Set(notBillableCodes);
}

/** The calendar whose days and months are aggregated. */
export function calendarOfZone({ timeZone, dayStartsAtMs }: SeriesZone): Calendar {
  return calendarOf(timeZone, dayStartsAtMs);
}

/** The settings of some series at one moment: look-ups cost no I/O. */
export interface ZonesSnapshot {
  /** Throws for a series that was not asked for. */
  of(meter: string, channel: string): SeriesZone;
}

/** The registry's view of series. */
export interface SeriesZones {
  /** Asked once a group and tenant; may be a few seconds old. Rejects with a TransientError while the registry is down. */
  snapshotOf(tenant: string, series: readonly SeriesName[]): Promise<ZonesSnapshot>;
}

/** Every series in UTC, without a registered interval. */
export const utcZones: SeriesZones = {
  snapshotOf: () => Promise.resolve({ of: () => ({ timeZone: 'UTC' }) }),
};
