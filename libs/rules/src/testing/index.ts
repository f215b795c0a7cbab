export { describeSandbox, flowOfBody, ruleOf, sampleBatch, type SampleOptions } from './describe-sandbox.ts';
