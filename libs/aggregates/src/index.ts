export type { AggregatesStored } from './aggregates-stored.ts';
export {
  resolutions,
  sumHighUnit,
  wholeWindow,
  type AggregateBatch,
  type AggregateRows,
  type Resolution,
  type SheetLevel,
  type Sheets,
} from './aggregate-batch.ts';
