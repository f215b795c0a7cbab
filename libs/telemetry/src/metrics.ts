import type { Labels } from '@meterflow/stage';

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

interface Sample {
  value: number;
  /** Of a histogram: observations up to each bound, one by one. */
  readonly upTo: number[];
  observations: number;
}

interface Metric {
  readonly type: MetricType;
  readonly bounds: readonly number[];
  readonly samples: Map<string, Sample>;
}

/**
 * Counters, gauges and histograms of one process, rendered as Prometheus text. Never throws: a metric beyond
 * {@link metricsMax}, or used as two types, is dropped and counted.
 */
export class Metrics {
  readonly #metrics = new Map<string, Metric>();
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

  /** The text exposition format 0.0.4. */
  render(): string {
    const lines = [...this.#metrics].sort(byName).flatMap(([name, metric]) => rendered(name, metric));
    lines.push(
      '# TYPE telemetry_observations_dropped_total counter',
      `telemetry_observations_dropped_total ${this.#dropped}`,
    );
    return `${lines.join('\n')}\n`;
  }

  #add({ name, type, labels }: Observation, change: (sample: Sample, metric: Metric) => void): void {
    const metric = this.#metrics.get(name) ?? this.#newMetric(name, type);
    if (metric?.type !== type) {
      this.#dropped += 1;
      return;
    }
    change(sampleOf(metric, labels), metric);
  }

  #newMetric(name: string, type: MetricType): Metric | undefined {
    if (this.#metrics.size >= metricsMax || !/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)) {
      return undefined;
    }
    const bounds = name.includes('_bytes') ? bytesBounds : amountBounds;
    const metric: Metric = { type, bounds, samples: new Map() };
    this.#metrics.set(name, metric);
    return metric;
  }
}

function sampleOf(metric: Metric, labels: Labels): Sample {
  const text = labelText(labels);
  const found = metric.samples.get(text);
  if (found !== undefined) {
    return found;
  }
  const overflows = metric.samples.size >= labelSetsPerMetricMax;
  const kept = overflows ? metric.samples.get('overflow="true"') : undefined;
  const sample = kept ?? { value: 0, upTo: [], observations: 0 };
  metric.samples.set(overflows ? 'overflow="true"' : text, sample);
  return sample;
}

function rendered(name: string, { type, bounds, samples }: Metric): string[] {
  const lines = [`# TYPE ${name} ${type}`];
  for (const [labels, sample] of samples) {
    if (type !== 'histogram') {
      lines.push(`${name}${inBraces(labels)} ${sample.value}`);
      continue;
    }
    let observations = 0;
    bounds.forEach((bound, index) => {
      observations += sample.upTo[index] ?? 0;
      lines.push(`${name}_bucket${inBraces(labels, `le="${bound}"`)} ${observations}`);
    });
    lines.push(`${name}_bucket${inBraces(labels, 'le="+Inf"')} ${sample.observations}`);
    lines.push(`${name}_sum${inBraces(labels)} ${sample.value}`);
    lines.push(`${name}_count${inBraces(labels)} ${sample.observations}`);
  }
  return lines;
}

function labelText(labels: Labels): string {
  return Object.entries(labels)
    .sort(byName)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',');
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };

function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => escapes[character] ?? character);
}

function inBraces(...labels: readonly string[]): string {
  const text = labels.filter((label) => label !== '').join(',');
  return text === '' ? '' : `{${text}}`;
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
