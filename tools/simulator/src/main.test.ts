import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'meterflow-simulate-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const hpa = `
kind: Deployment
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
spec:
  maxReplicas: 10
  metrics:
    - type: External
      external: { metric: { name: backlog }, target: { type: AverageValue, averageValue: 1k } }
`;
const steps = [
  { at: 0, values: { backlog: 3_500 } },
  { at: 40, values: { backlog: null } },
];

function simulate(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], { encoding: 'utf8' });
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const hpaFile = file('hpa.yaml', hpa);
const stepsFile = file('steps.json', JSON.stringify(steps));

test('tells the replicas at every sync as JSON', () => {
  const { status, stdout } = simulate('--metrics', stepsFile, '--hpa', hpaFile, '--seconds', '50', '--json');
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    syncs: [
      { at: 15, from: 1, to: 4 },
      { at: 30, from: 4, to: 4 },
      { at: 45, from: 4, to: 4 },
    ],
  });
});

test('tells the changes as a table, with the flags of the controller', () => {
  const { stdout } = simulate('--metrics', stepsFile, '--hpa', hpaFile, '--sync-seconds', '10', '--replicas', '2');
  expect(stdout).toBe('10 s: 2 → 4\n364 syncs, 1 changes, at the end 4 replicas\n');
});

test.each([
  ['no file', ['--metrics', '/nowhere', '--hpa', hpaFile], 'ENOENT'],
  ['no option', ['--hpa', hpaFile], '--metrics and --hpa are needed'],
  ['an unknown option', ['--what'], "Unknown option '--what'"],
  [
    'steps that go back',
    ['--metrics', file('back.json', '[{"at":9,"values":{}},{"at":1,"values":{}}]'), '--hpa', hpaFile],
    'order',
  ],
  ['text', ['--metrics', file('text.json', 'backlog'), '--hpa', hpaFile], 'not valid JSON'],
  ['no autoscaler', ['--metrics', stepsFile, '--hpa', stepsFile], 'expected object'],
  ['a number that is none', ['--metrics', stepsFile, '--hpa', hpaFile, '--replicas', 'many'], 'replicas'],
  ['an option without its number', ['--metrics', stepsFile, '--hpa', hpaFile, '--replicas='], 'received NaN'],
  [
    'a key that stands twice',
    ['--metrics', stepsFile, '--hpa', file('twice.yaml', `${hpa}  maxReplicas: 5\n`)],
    'unique',
  ],
  ['syncs that never end', ['--metrics', stepsFile, '--hpa', hpaFile, '--sync-seconds', '0.001'], 'syncSeconds'],
])('%s is answered with what is wrong', (_, args, message) => {
  const { status, stderr } = simulate(...args);
  expect(stderr).toContain(message);
  expect(status).toBe(2);
});
