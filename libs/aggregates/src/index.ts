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
