import { ValueType, type HrTime } from '@opentelemetry/api';
import { emptyResource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  DataPointType,
  type DataPoint,
  type Histogram,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';
import type { Metric, Metrics, Sample } from '../metrics.ts';

/** Gives OpenTelemetry what this process counts, as cumulative sums since `startedAtMs`: one registry, two ways out. */
export function metricProducer(metrics: Metrics, clock: { startedAtMs: number; nowMs: () => number }): MetricProducer {
  return {
    collect: () => {
      const times = { startTime: hrTime(clock.startedAtMs), endTime: hrTime(clock.nowMs()) };
      const collected = metrics.metrics().map(([name, metric]) => metricData(name, metric, times));
      const scopeMetrics = [{ scope: { name: 'meterflow' }, metrics: collected }];
      return Promise.resolve({ resourceMetrics: { resource: emptyResource(), scopeMetrics }, errors: [] });
    },
  };
}

type Times = Pick<DataPoint<number>, 'startTime' | 'endTime'>;

function metricData(name: string, metric: Metric, times: Times): MetricData {
  const common = {
    descriptor: { name, description: '', unit: '', valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  const pointsOf = <Value>(valueOf: (sample: Sample) => Value): DataPoint<Value>[] =>
    [...metric.samples.values()].map((sample) => ({ ...times, attributes: sample.labels, value: valueOf(sample) }));
  switch (metric.type) {
    case 'counter':
      return { ...common, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints: pointsOf(valueOf) };
    case 'gauge':
      return { ...common, dataPointType: DataPointType.GAUGE, dataPoints: pointsOf(valueOf) };
    case 'histogram':
      return {
        ...common,
        dataPointType: DataPointType.HISTOGRAM,
        dataPoints: pointsOf((sample) => histogramOf(sample, metric.bounds)),
      };
  }
}

function valueOf({ value }: Sample): number {
  return value;
}

/** Ours counts what lies up to each bound; theirs has one more place, for what lies above the last. */
function histogramOf({ value, upTo, observations }: Sample, bounds: readonly number[]): Histogram {
  const counts = bounds.map((_, index) => upTo[index] ?? 0);
  const above = observations - counts.reduce((sum, count) => sum + count, 0);
  return { buckets: { boundaries: [...bounds], counts: [...counts, above] }, sum: value, count: observations };
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)];
}
