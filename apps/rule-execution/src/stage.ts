// What measures and breaks this app's stages: tools, and nothing else (eslint.config.mjs).
export { seriesFlowSink } from './series-flow-sink.ts';
export { seriesFlowStage, type SeriesFlowPorts } from './series-flow-stage.ts';
export { ruleExecutionStage, type RuleExecutionPorts } from './rule-execution-stage.ts';
