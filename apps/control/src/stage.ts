// What breaks this app's work, as that of the stages: tools, and nothing else (eslint.config.mjs).
export { closedAtMs, DayCloser, type DayCloserPorts } from './day-closer.ts';
export { KnownSeries } from './known-series.ts';
export { ReprocessDriver } from './reprocess/reprocess-driver.ts';
export type { StoredRaw, StoredSpan } from './reprocess/told-days.ts';
export { RuleDesk, type RuleDeskPorts } from './rule-desk.ts';
