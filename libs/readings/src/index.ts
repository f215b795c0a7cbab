export { BatchBuilder, ReadingRow, type ReadingStretch } from './batch-builder.ts';
export { canonicalReading, utcText, type CanonicalReading } from './canonical-row.ts';
export type { ReadingColumns } from './columns.ts';
export {
  canonicalDecimals,
  compareDecimals,
  decimalsMax,
  formatDecimal,
  integerMax,
  parseDecimal,
  powersOfTen,
  readDecimal,
  roundHalfEven,
  type Decimal,
  type DecimalProblem,
} from './decimal.ts';
export { ExactSum } from './exact-sum.ts';
export {
  channelName,
  groupMeterPrefix,
  registerChannelMark,
  identifierCharsMax,
  isIdentifier,
  meterName,
  tenantName,
  type SeriesName,
} from './identifiers.ts';
export { InvalidReadingError } from './invalid-reading-error.ts';
export { layers, noLongerEmitted, type Layer } from './layer.ts';
export { missingCode, qualities, qualityCode, qualityOf, type Quality } from './quality.ts';
export {
  lastLineOf,
  readingCount,
  readingsPerBatchMax,
  sliceBatch,
  sliceColumns,
  type BatchHeader,
  type Cause,
  type ReadingBatch,
} from './reading-batch.ts';
export { ReadingCursor } from './reading-cursor.ts';
export { compareReadings, compareValues, type ReadingPosition } from './reading-order.ts';
export {
  registerDifference,
  registerSteps,
  type RegisterDifference,
  type RegisterExchange,
  type RegisterFacts,
  type RegisterSpan,
  type RegisterStep,
} from './register-difference.ts';
export { constantRuns, runAt, runIndex, RunsBuilder, RunsCursor, sliceRuns, type Runs } from './runs.ts';
export { SpansBuilder, type Spans } from './spans.ts';
export { isUnit, unitExponent, unitNames, type Unit } from './unit.ts';
export { compareVersions, rawVersion, versionAt, versionsOf, type Version, type Versions } from './version.ts';
export type { StoredNotice, Touched } from './stored-notice.ts';
export { touchedBy } from './touched-by.ts';
export { withoutSeries } from './without-series.ts';
