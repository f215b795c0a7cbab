export { labelSetsPerMetricMax, metricsMax } from './metrics.ts';
export { mergedPrometheusText, prometheusContentType } from './prometheus-text.ts';
export { createTelemetry, type LogLevel, type ProcessTelemetry, type TelemetryOptions } from './telemetry.ts';
