// What measures and breaks this app's stages: tools, and nothing else (eslint.config.mjs).
export { aggregationStage, type AggregationPorts, type AggregationStage } from './aggregation-stage.ts';
export { monthStage, type MonthPorts, type MonthStage } from './month-stage.ts';
