export { labelSetsPerMetricMax, metricsMax } from './metrics.ts';
export { createTelemetry, type LogLevel, type ProcessTelemetry, type TelemetryOptions } from './telemetry.ts';
