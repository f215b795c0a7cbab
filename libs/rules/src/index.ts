export {
  failurePolicies,
  ruleContract,
  ruleContractOf,
  type Activation,
  type FailurePolicy,
  type Flow,
  type FlowStep,
  type ParameterValue,
  type RuleVersion,
  type SeriesNeeds,
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
export { withStep } from './with-step.ts';
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
