// What measures and breaks this app's stages: tools, and nothing else (eslint.config.mjs).
export { aggregationStage, type AggregationPorts, type AggregationStage } from './aggregation-stage.ts';
export { daysClosedStage, type DaysClosedPorts, type DaysClosedStage } from './days-closed-stage.ts';
export { monthStage, type MonthPorts, type MonthStage } from './month-stage.ts';
export { groupZones, type TenantGroups } from './groups/group-zones.ts';
export { memberStage, type MemberPorts, type MemberStage } from './groups/member-stage.ts';
export { nodeStage, type NodePorts, type NodeStage } from './groups/node-stage.ts';
export type { SeriesZones } from './series-zones.ts';
