export type { AggregateStore, AggregateWrite, SeriesSheets, SheetRows } from './aggregate-store.ts';
export { CorruptSegmentError } from './corrupt-segment-error.ts';
export { gatheredSeriesMax } from './day-pieces.ts';
export {
  ledgerLayers,
  type Ledger,
  type LedgerLayer,
  type LedgerRow,
  type LedgerState,
  type LedgerSummary,
} from './ledger.ts';
export { compareBytes, judgeSheet, WindowTally } from './judge-sheet.ts';
export { GroupMerger, type DayExtent } from './merge-group.ts';
export { addOutcomes, noOutcomes, outcomes, type Outcome, type OutcomeCounts } from './outcome.ts';
export type { ReadingStore, ReadingWrite, Segment, SeriesDays } from './reading-store.ts';
export { decodeSegment, encodeSegment, SegmentColumnsReader } from './segment-codec.ts';
export { segmentWithin } from './segment-within.ts';
export { dayMax, dayMs, readingsPerDayMax, segmentFormat } from './segment-format.ts';
export { decodeSheet, encodeSheet, rowsPerSheetMax, sameSheetContent, sheetHead, sheetTicket } from './sheet-codec.ts';
export type { Tickets } from './tickets.ts';
export { UnstorableBatchError } from './unstorable-batch-error.ts';
