export {
  failurePolicies,
  ruleContract,
  type Activation,
  type FailurePolicy,
  type Flow,
  type FlowStep,
  type ParameterValue,
  type RuleVersion,
} from './flow.ts';
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
export { convertUnit, defaultFlow, flagRange, flowOf, stockRules } from './stock-rules.ts';
export {
  applyFlowResult,
  failedResult,
  unchangedResult,
  type AppliedFlow,
  type ApplyOptions,
} from './apply-flow-result.ts';
export { emptyBatch } from './empty-batch.ts';
