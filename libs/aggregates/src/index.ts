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
export {
  AggregateBatchBuilder,
  AggregateRow,
  type AggregateHeader,
  type SheetHead,
} from './aggregate-batch-builder.ts';
export type { AggregatesStored } from './aggregates-stored.ts';
export { Calendar, calendarOf, dayMs, firstDayOfMonth, hourMs, monthOfDay, UnknownTimeZoneError } from './calendar.ts';
export {
  canonicalAggregate,
  resolutionOf,
  rowEndMs,
  rowStartMs,
  type CanonicalAggregate,
} from './canonical-aggregate.ts';
export { DaySheets, type DaySheetsRequest } from './day-sheets.ts';
export { appendFormerWindows, type FormerWindowsRequest } from './former-windows.ts';
export { appendMonthSheets, type MonthSheetsRequest } from './month-sheets.ts';
export { sameRow, sameSheet, type RowPosition } from './same-sheet.ts';
export { SheetCursor } from './sheet-cursor.ts';
export {
  extremeInteger,
  extremeProduct,
  formatExtreme,
  formatMean,
  formatSum,
  meanInteger,
  setSum,
  sumInteger,
  type WideSum,
} from './wide-sum.ts';
export {
  emptyContribution,
  expectedCount,
  qualityBits,
  qualityCount,
  qualitySet,
  sameContribution,
  slotCount,
  UnlikeContributionsError,
  type Contribution,
  type DaySlots,
} from './groups/contribution.ts';
export { addContribution, ContributionSum, minus, plus, removeContribution } from './groups/contribution-sum.ts';
export { calculatedContribution, contributionWhere, positivePart } from './groups/derived-contribution.ts';
export { MemberContribution, type MemberRequest } from './groups/member-contribution.ts';
export { fitsSlots, type MemberStretch } from './groups/member-stretch.ts';
export { roundedContribution, type Rounding } from './groups/rounded-contribution.ts';
export { share, shareOut, wideShare } from './resolution/share-out.ts';
