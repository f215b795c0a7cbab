export type { AggregateStore, AggregateWrite, SeriesSheets, SheetRows } from './aggregate-store.ts';
export { AggregateLines } from './canonical/aggregate-lines.ts';
export { compareSeries, type NamedSeries } from './canonical/named-series.ts';
export { ReadingLines } from './canonical/reading-lines.ts';
export { ContributionDecoder, encodeContribution } from './contribution-codec.ts';
export type {
  ContributionCell,
  ContributionStore,
  ContributionWrite,
  NodeDay,
  StoredContribution,
} from './contribution-store.ts';
export { CorruptSegmentError } from './corrupt-segment-error.ts';
export type { ErasableStore, Erased, Erasure, ErasureScope } from './erasure.ts';
export { ledgerLayers, type Ledger, type LedgerLayer, type LedgerSummary } from './ledger.ts';
export { compareBytes, judgeSheet, WindowTally } from './judge-sheet.ts';
export { displacedBy } from './judge.ts';
export { GroupMerger, type DayExtent } from './merge-group.ts';
export { knownColumns } from './known-columns.ts';
export { SegmentMerger, type MergedSegments } from './merge-segments.ts';
export { addOutcomes, noOutcomes, outcomes, type Outcome, type OutcomeCounts } from './outcome.ts';
export { decodeOriginPieces, encodeOriginPieces, type OriginPiece } from './origin-codec.ts';
export {
  lineOf,
  originsMax,
  type HistorySegment,
  type KnownBy,
  type Origin,
  type ReadingHistory,
} from './reading-history.ts';
export type { ReadingStore, ReadingWrite, Segment, SeriesDays, SeriesLayer } from './reading-store.ts';
export { encodeSegment, SegmentColumnsReader } from './segment-codec.ts';
export { firstStartMs } from './first-start.ts';
export { segmentWithin } from './segment-within.ts';
export { dayMax, dayMs } from './segment-format.ts';
export { decodeStanding, sheetTicket } from './sheet-decoder.ts';
export { encodeSheet } from './sheet-encoder.ts';
export type { RaisableTickets, Tickets } from './tickets.ts';
export { UnstorableBatchError } from './unstorable-batch-error.ts';
