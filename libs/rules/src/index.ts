export {
  failurePolicies,
  type Activation,
  type FailurePolicy,
  type Flow,
  type FlowStep,
  type ParameterValue,
  type RuleVersion,
} from './flow.ts';
export { change, RuleFailureError, type FlowResult, type Sandbox } from './sandbox.ts';
