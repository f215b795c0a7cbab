export {
  failurePolicies,
  ruleContract,
  ruleContractOf,
  severities,
  type Activation,
  type FailurePolicy,
  type Flow,
  type FlowStep,
  type ParameterValue,
  type RuleVersion,
  type SeriesNeeds,
  type Severity,
} from './flow.ts';
export { bundledLinesBefore, bundledSource } from './bundled-rule.ts';
export {
  isChannelPattern,
  isRuleName,
  ruleDeclaration,
  RuleDeclarationError,
  type RuleDeclaration,
} from './rule-declaration.ts';
export { parameterProblems, type ParameterProblem } from './set-parameters.ts';
export { ruleTests, type RuleTests } from './rule-tests.ts';
export { runRuleTests, type CaseOutcome } from './run-rule-tests.ts';
export { sourceDiff } from './source-diff.ts';
export { allMeters, hasMeter, meterPoint, type MeterShare } from './meter-share.ts';
export { takesSeries } from './takes-series.ts';
export { withStep } from './with-step.ts';
export { withoutRule } from './without-rule.ts';
export {
  change,
  failureReason,
  RuleFailureError,
  ruleFailureCodes,
  type FlowResult,
  type RuleFailure,
  type RuleFailureCode,
  type Sandbox,
} from './sandbox.ts';
export type { StockRule } from './stock-rule.ts';
export { convertUnit, defaultFlow, flagRange, flowOf, stockRules } from './stock-rules.ts';
export {
  applyFlowResult,
  failedResult,
  unchangedResult,
  type AppliedFlow,
  type ApplyOptions,
} from './apply-flow-result.ts';
export { emptyBatch } from './empty-batch.ts';
export { flowProblems, type FlowProblem } from './flow-problems.ts';
export { matchesChannel } from './channel-glob.ts';
export { channelNeeds, emitsOf, stepsOf } from './channel-flow.ts';
export {
  nothingEmitted,
  resultOfDay,
  windowReadingsMax,
  type ClockShift,
  type DayResult,
  type Emissions,
  type RawWindow,
  type RunDay,
  type SeriesResult,
  type SeriesRun,
} from './series-run.ts';
export { dayIndex, localDays, type LocalDays } from './local-days.ts';
export { noRawVersion, seriesFlowSource } from './own-readings.ts';
export { SeriesWindows, type DaysAround, type RawChannel, type SeriesFacts } from './series-windows.ts';
export {
  compareStamps,
  MadeReadingsBuilder,
  madeWithin,
  nothingMade,
  type MadeReading,
  type MadeReadings,
  type MadeSpan,
} from './made-readings.ts';
export { ValidatedRows } from './validated-rows.ts';
export {
  dayResult,
  GivenReadings,
  withdraw,
  writeDay,
  writeEmitted,
  type DayStamp,
  type StoredDay,
} from './apply-series-result.ts';
export { readingFlowPart } from './pick-readings.ts';
export {
  SeriesDays,
  type DayOutcome,
  type DayRunner,
  type FlowRun,
  type RunFlow,
  type SeriesWork,
} from './series-days.ts';
export {
  readInputs,
  type DueDays,
  type InputsRequest,
  type SeriesInputs,
  type StoredReadings,
} from './series-inputs.ts';
