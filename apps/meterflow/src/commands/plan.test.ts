import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseHpa, type HpaSpec } from '@meterflow/scaling';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { runCommand } from '../testing/run-command.ts';

let folder: string;
let trace: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meterflow-plan-'));
  trace = join(folder, 'trace.csv');
  // Twenty pods' work of ten minutes, at once.
  writeFileSync(trace, 'seconds,readings\n0,1200000\n1800,1\n');
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const small = ['--rate', '100', '--deadline', '30m', '--metric-lag', '60s'];

test('recommends an HPA that keeps the deadline, as patch, picture and numbers', async () => {
  const [svg, csv, patch] = ['plan.svg', 'plan.csv', 'patch.yaml'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const { code, out } = await runCommand(
    'plan',
    '--trace',
    trace,
    ...small,
    '--svg',
    svg,
    '--csv',
    csv,
    '--patch',
    patch,
    '--json',
  );
  expect(code).toBe(0);
  const plan = JSON.parse(out) as {
    recommendation: { outcome: { worstAgeSeconds: number; finished: boolean } };
    models: { model: string }[];
  };
  expect(plan.recommendation.outcome.finished).toBe(true);
  expect(plan.recommendation.outcome.worstAgeSeconds).toBeLessThanOrEqual(1_800);
  expect(plan.models.map(({ model }) => model)).toEqual(['hpa', 'keda', 'jobs', 'fixed', 'fixed-vpa', 'managed']);
  const spec = parseHpa(parse(readFileSync(patch, 'utf8')));
  expect(spec.metrics.map(({ name, target }) => [name, target.type])).toEqual([
    ['backlog', 'averageValue'],
    ['oldest-age', 'averageValue'],
  ]);
  expect(readFileSync(csv, 'utf8').split('\n')[0]).toBe('seconds,backlog,age_seconds,pods,ready_pods');
  expect(readFileSync(svg, 'utf8')).toMatch(/^<svg [^]*deadline[^]*<\/svg>\n$/);
});

const manifest = (name: string): string =>
  fileURLToPath(new URL(`../../../../k8s/components/autoscaling-${name}.yaml`, import.meta.url));

test.each([
  ['gke/scalers/persistence-live', 'pubsub.googleapis.com|subscription|num_undelivered_messages'],
  ['prometheus/scalers/persistence-live', 'meterflow_scaling_backlog_messages'],
])('keeps names, selectors and policies of %s, counts messages, and tells how it does now', async (name, backlog) => {
  const patch = join(folder, 'patch.yaml');
  const { code, out } = await runCommand(
    ...['plan', '--trace', trace, '--rate', '1000', '--deadline', '30m', '--hpa', manifest(name)],
    ...['--patch', patch, '--json'],
  );
  expect(code).toBe(0);
  const { models } = JSON.parse(out) as { models: { model: string }[] };
  expect(models.map(({ model }) => model).slice(0, 3)).toEqual(['hpa', 'hpa-now', 'keda']);
  const written = parse(readFileSync(patch, 'utf8')) as { metadata: { name: string } };
  expect(written.metadata.name).toBe('persistence-live');
  const [before, after] = [parseHpa(parse(readFileSync(manifest(name), 'utf8'))), parseHpa(written)];
  const kept = ({ metrics }: HpaSpec): readonly string[] =>
    metrics.map((metric) => `${metric.name}{${metric.selector}}`);
  expect(kept(after)).toEqual(kept(before));
  expect(after.behavior).toEqual(before.behavior);
  // A pod's share of the backlog: less than its work until the deadline, in messages of a thousand readings.
  const target = after.metrics.find((metric) => metric.name === backlog)?.target.milli ?? 0;
  expect(target / 1_000).toBeLessThanOrEqual(1_800);
});

test('refuses to plan an autoscaler that also looks at something else', async () => {
  const { code, err } = await runCommand(
    ...['plan', '--trace', 'outage', '--deadline', '1m', '--hpa', manifest('gke/scalers/ingest')],
  );
  expect([code, err]).toEqual([1, expect.stringContaining('External') as string]);
});

test('says where a manifest is no YAML, whatever can be made of it', async () => {
  const file = join(folder, 'broken.yaml');
  writeFileSync(file, `${readFileSync(manifest('gke/scalers/persistence-live'), 'utf8')}kind: Pod\n`);
  const { code, err } = await runCommand('plan', '--trace', 'outage', '--deadline', '1h', '--hpa', file);
  expect([code, err]).toEqual([1, expect.stringContaining('Map keys must be unique') as string]);
});

test('says that nothing keeps the deadline, and writes no file', async () => {
  const before = readdirSync(folder);
  const { code, err } = await runCommand(
    ...['plan', '--trace', trace, '--rate', '100', '--deadline', '30s', '--patch', join(folder, 'patch.yaml')],
  );
  expect([code, err]).toEqual([1, expect.stringContaining('raise --replicas-max or --rate') as string]);
  expect(readdirSync(folder)).toEqual(before);
});

test.each([
  ['a minimum above the maximum', '  minReplicas: 30\n', '1k', 'is above maxReplicas, 20'],
  ['a target of nothing', '', '0', 'is to be more than 0'],
  ['a key that stands twice', '  maxReplicas: 30\n', '1k', 'unique'],
])('an autoscaler with %s, which no API server takes, is refused', async (...[, lines, averageValue, message]) => {
  const file = join(folder, 'hpa.yaml');
  const metric = `{ metric: { name: backlog_messages }, target: { type: AverageValue, averageValue: ${averageValue} } }`;
  const text = `spec:\n  maxReplicas: 20\n${lines}  metrics: [{ type: External, external: ${metric} }]\n`;
  writeFileSync(file, text);
  const { code, err } = await runCommand('plan', '--trace', trace, ...small, '--hpa', file);
  expect([code, err]).toEqual([1, expect.stringContaining(message) as string]);
});

test.each([
  ['a trace that is none', ['--trace', '/nowhere', '--deadline', '1m'], 'ENOENT', 1],
  ['a deadline that is none', ['--trace', 'outage', '--deadline', 'soon'], 'It must be a time like', 2],
  ['a rate of nothing', ['--trace', 'outage', '--deadline', '1m', '--rate', '0'], 'more than none', 1],
])('%s is answered with what is wrong', async (...[, words, message, exitCode]) => {
  const { code, err } = await runCommand('plan', ...words);
  expect(err).toContain(message);
  expect(code).toBe(exitCode);
});
