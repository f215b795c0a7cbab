export { HpaController, type HpaControllerOptions } from './hpa/hpa-controller.ts';
export { HpaManifestError, parseHpa } from './hpa/parse-hpa.ts';
export type { ExternalMetric, HpaSpec, ScalingPolicy, ScalingRules } from './hpa/hpa-spec.ts';
export { milliValue } from './hpa/quantity.ts';
export { replay, replaySecondsMax, type MetricStep, type ReplayedSync, type Scenario } from './hpa/replay.ts';
export type { ObservedScale } from './hpa/replica-proposal.ts';
