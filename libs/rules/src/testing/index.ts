export {
  describeSandbox,
  flowOfBody,
  ruleOf,
  sampleBatch,
  seriesRuleOf,
  type SampleOptions,
} from './describe-sandbox.ts';
