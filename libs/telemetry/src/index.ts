export { gatherMetrics, type MetricsOf } from './gather-metrics.ts';
export { labelSetsPerMetricMax, metricsMax } from './metrics.ts';
export { mergedPrometheusText } from './prometheus-text.ts';
export { serveOperations, type OperationsAddress, type OperationsProbe } from './serve-operations.ts';
export { createTelemetry, type LogLevel, type ProcessTelemetry, type TelemetryOptions } from './telemetry.ts';
