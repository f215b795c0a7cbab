import { labelText } from './label-text.ts';
import type { Metric, Metrics, Sample } from './metrics.ts';

/** The text exposition format 0.0.4. */
export const prometheusContentType = 'text/plain; version=0.0.4; charset=utf-8';

export function prometheusText(metrics: Metrics): string {
  return `${metrics
    .metrics()
    .flatMap(([name, metric]) => [
      `# TYPE ${name} ${metric.type}`,
      ...[...metric.samples.values()].flatMap((sample) => sampleLines(name, metric, sample)),
    ])
    .join('\n')}\n`;
}

function sampleLines(name: string, { type, bounds }: Metric, sample: Sample): string[] {
  const labels = labelText(sample.labels);
  if (type !== 'histogram') {
    return [`${name}${inBraces(labels)} ${sample.value}`];
  }
  let observations = 0;
  const upTo = bounds.map((bound, index) => {
    observations += sample.upTo[index] ?? 0;
    return `${name}_bucket${inBraces(labels, `le="${bound}"`)} ${observations}`;
  });
  return [
    ...upTo,
    `${name}_bucket${inBraces(labels, 'le="+Inf"')} ${sample.observations}`,
    `${name}_sum${inBraces(labels)} ${sample.value}`,
    `${name}_count${inBraces(labels)} ${sample.observations}`,
  ];
}

function inBraces(...labels: readonly string[]): string {
  const text = labels.filter((label) => label !== '').join(',');
  return text === '' ? '' : `{${text}}`;
}

/** One text of several processes' texts: each sample says whose it is, and what is of one name stands together. */
export function mergedPrometheusText(texts: readonly { readonly service: string; readonly text: string }[]): string {
  const families = new Map<string, string[]>();
  for (const { service, text } of texts) {
    let family: string[] = [];
    for (const line of text.split('\n').filter((each) => each !== '')) {
      if (line.startsWith('# TYPE ')) {
        family = families.get(line) ?? [];
        families.set(line, family);
      } else {
        family.push(withLabel(line, labelText({ service })));
      }
    }
  }
  return `${[...families]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([type, lines]) => [type, ...lines])
    .join('\n')}\n`;
}

function withLabel(line: string, label: string): string {
  return line.replace(/^([^{ ]+)(?:\{|(?= ))/, (start, name: string) =>
    start.endsWith('{') ? `${name}{${label},` : `${name}{${label}}`,
  );
}
