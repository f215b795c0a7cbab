/** What a local day counts as where registers are concerned. */
export const dayKinds = ['weekday', 'saturday', 'sunday', 'holiday'] as const;
export type DayKind = (typeof dayKinds)[number];

/** From this time of the clock on, until the next one of the day, this register counts. */
export interface RegisterSwitch {
  /** Since midnight, as the clock shows it. */
  readonly atMs: number;
  /** Index into the plan's registers. */
  readonly register: number;
}

/** What holds from a local day on, until the next one begins. */
export interface RegisterPeriod {
  /** Local date as days since 1970-01-01. */
  readonly fromDay: number;
  /** Of each kind of day, ascending, the first at midnight. */
  readonly switches: Readonly<Record<DayKind, readonly RegisterSwitch[]>>;
}

/**
 * A calendar of a tenant: days that begin at another time than midnight (a gas day), or registers that take turns within a
 * local day (peak and off-peak). Made once for each definition: what is worked out of it is remembered by its identity.
 */
export interface RegisterPlan {
  /** 0 for midnight. Where it is another, there is one register, which takes all of the day. */
  readonly dayStartsAtMs: number;
  readonly registers: readonly string[];
  /** Ascending; before the first one no register counts. Empty: the first register takes everything. */
  readonly periods: readonly RegisterPeriod[];
  /** Local dates. */
  readonly holidays: ReadonlySet<number>;
}
