export type { AggregateStore, AggregateWrite, SeriesSheets } from './aggregate-store.ts';
export {
  ledgerLayers,
  type Ledger,
  type LedgerLayer,
  type LedgerRow,
  type LedgerState,
  type LedgerSummary,
} from './ledger.ts';
export { addOutcomes, noOutcomes, outcomes, type Outcome, type OutcomeCounts } from './outcome.ts';
export type { ReadingStore, ReadingWrite, Segment, SeriesDays } from './reading-store.ts';
export type { Tickets } from './tickets.ts';
