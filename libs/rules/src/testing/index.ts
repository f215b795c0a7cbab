export { describeSandbox, sampleBatch, type SampleOptions } from './describe-sandbox.ts';
export { flowOfBody, ruleOf, seriesRuleOf } from './rule-of.ts';
