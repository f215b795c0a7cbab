import type { Labels } from '@meterflow/stage';
import { labelText } from './label-text.ts';

/** Further label sets of a metric are counted together under `overflow="true"`: a scrape must stay small. */
export const labelSetsPerMetricMax = 500;
export const metricsMax = 500;

const amountBounds = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000];
const bytesBounds = Array.from({ length: 12 }, (_, power) => 256 * 4 ** power);

type MetricType = 'counter' | 'gauge' | 'histogram';

interface Observation {
  readonly name: string;
  readonly type: MetricType;
  readonly labels: Labels;
}

export interface Sample {
  readonly labels: Labels;
  value: number;
  /** Of a histogram: observations up to each bound, one by one. */
  readonly upTo: number[];
  observations: number;
}

/** All that was counted under one name. */
export interface Metric {
  readonly type: MetricType;
  /** Of a histogram: the upper bounds that it counts by. */
  readonly bounds: readonly number[];
  /** By their labels, as text. */
  readonly samples: Map<string, Sample>;
}

interface GrowingMetric extends Metric {
  /** The same samples by their labels as callers write them: putting those in order costs more than counting. */
  readonly written: Map<string, Sample>;
}

/** So many ways to write its labels are remembered of a metric. */
const writtenMax = 2 * labelSetsPerMetricMax;

const overflowLabels: Labels = { overflow: 'true' };

/**
 * Counters, gauges and histograms of one process. Never throws: a metric beyond
 * {@link metricsMax}, or used as two types, is dropped and counted.
 */
export class Metrics {
  readonly #metrics = new Map<string, GrowingMetric>();
  #dropped = 0;

  count(name: string, by: number, labels: Labels): void {
    this.#add({ name, type: 'counter', labels }, (sample) => {
      sample.value += by;
    });
  }

  gauge(name: string, value: number, labels: Labels): void {
    this.#add({ name, type: 'gauge', labels }, (sample) => {
      sample.value = value;
    });
  }

  observe(name: string, value: number, labels: Labels): void {
    this.#add({ name, type: 'histogram', labels }, (sample, { bounds }) => {
      const bound = bounds.findIndex((candidate) => value <= candidate);
      if (bound >= 0) {
        sample.upTo[bound] = (sample.upTo[bound] ?? 0) + 1;
      }
      sample.value += value;
      sample.observations += 1;
    });
  }

  /** By name, in the order of names. */
  metrics(): readonly (readonly [string, Metric])[] {
    const [labels, observations, upTo] = [{}, 0, [] as number[]];
    const dropped: Metric = {
      type: 'counter',
      bounds: [],
      samples: new Map([['', { labels, value: this.#dropped, upTo, observations }]]),
    };
    return [...[...this.#metrics].sort(byName), ['telemetry_observations_dropped_total', dropped]];
  }

  #add({ name, type, labels }: Observation, change: (sample: Sample, metric: Metric) => void): void {
    const metric = this.#metrics.get(name) ?? this.#newMetric(name, type);
    if (metric?.type !== type) {
      this.#dropped += 1;
      return;
    }
    change(sampleOf(metric, labels), metric);
  }

  #newMetric(name: string, type: MetricType): GrowingMetric | undefined {
    if (this.#metrics.size >= metricsMax || !/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)) {
      return undefined;
    }
    const bounds = name.includes('_bytes') ? bytesBounds : amountBounds;
    const metric: GrowingMetric = { type, bounds, samples: new Map(), written: new Map() };
    this.#metrics.set(name, metric);
    return metric;
  }
}

function sampleOf(metric: GrowingMetric, labels: Labels): Sample {
  let text = '';
  for (const name in labels) {
    text += `${name}\0${labels[name] ?? ''}\0`;
  }
  const found = metric.written.get(text);
  if (found !== undefined) {
    return found;
  }
  const sample = orderedSampleOf(metric, labels);
  if (metric.written.size < writtenMax) {
    metric.written.set(text, sample);
  }
  return sample;
}

function orderedSampleOf(metric: Metric, labels: Labels): Sample {
  const found = metric.samples.get(labelText(labels));
  if (found !== undefined) {
    return found;
  }
  const kept = metric.samples.size >= labelSetsPerMetricMax ? overflowLabels : labels;
  const text = labelText(kept);
  const sample = metric.samples.get(text) ?? { labels: kept, value: 0, upTo: [], observations: 0 };
  metric.samples.set(text, sample);
  return sample;
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
