export {
  rareCounts,
  resolutions,
  sumHighUnit,
  unknownPeak,
  wholeWindow,
  type AggregateBatch,
  type AggregateRows,
  type RareCount,
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
export { noInputs, type InputVersions } from './input-versions.ts';
export type { AggregatesStored } from './aggregates-stored.ts';
export {
  Calendar,
  calendarOf,
  dayMs,
  firstDayOfMonth,
  hourMs,
  monthOfDay,
  UnknownTimeZoneError,
  yearOfDay,
} from './calendar.ts';
export {
  aggregateFacts,
  canonicalAggregate,
  resolutionOf,
  rowEndMs,
  rowPeakMs,
  rowStartMs,
  type AggregateFacts,
  type CanonicalAggregate,
} from './canonical-aggregate.ts';
export { CompleteDays, type CompleteDaysRequest } from './complete-days.ts';
export { DaySheets, type DaySheetsRequest } from './day-sheets.ts';
export { appendFormerWindows, type FormerWindowsRequest } from './former-windows.ts';
export {
  appendMonthSheets,
  appendYearSheets,
  type Covered,
  type MonthSheetsRequest,
  type MsSpan,
  type YearSheetsRequest,
} from './month-sheets.ts';
export { oddCounts, oddRows, ordinaryRows, type OddColumns } from './odd-rows.ts';
export { missingIntervals, type Gap, type MissingDay, type MissingIntervalsRequest } from './missing-intervals.ts';
export { peakStepMs } from './peak-step.ts';
export { intervalsWithin, type RegisteredInterval, type RegisteredIntervals } from './registered-intervals.ts';
export { sameRow, sameSheet, type RowPosition } from './same-sheet.ts';
export { SheetCursor } from './sheet-cursor.ts';
export { completeReasons, type CompleteReason, type WindowsComplete } from './windows-complete.ts';
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
export { fittedContribution, type Fitting } from './groups/fitted-contribution.ts';
export { appendGroupSheet } from './groups/group-sheet.ts';
export { MemberContribution, type MemberRequest } from './groups/member-contribution.ts';
export { fitsSlots, type MemberStretch } from './groups/member-stretch.ts';
export { roundedContribution, type Rounding } from './groups/rounded-contribution.ts';
export { noRegister, RegisterDays, registerDaysOf, type RegisterPiece } from './registers/register-days.ts';
export {
  dayKinds,
  type DayKind,
  type RegisterPeriod,
  type RegisterPlan,
  type RegisterSwitch,
} from './registers/register-plan.ts';
export { RegisterSheets, type RegisterSheetsRequest } from './registers/register-sheets.ts';
