import { execFile } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleApp } from './bundle-app.ts';
import { repositoryRoot } from './repository.ts';

const apps = globSync('apps/*/package.json', { cwd: repositoryRoot }).map((file) =>
  dirname(file).replaceAll('\\', '/'),
);

let folder = '';
beforeAll(async () => {
  // Within the repository, since what is not bundled (native code) is looked for in the folders above.
  mkdirSync(join(repositoryRoot, 'dist'), { recursive: true });
  folder = mkdtempSync(join(repositoryRoot, 'dist/bundles-'));
  for (const app of apps) {
    await bundleApp(app, folder);
  }
}, 120_000);
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('every app is one file, and the children that it starts lie beside it', () => {
  // The sandbox's own container holds no more than it serves.
  const served = ['main.js', 'sandbox-child.js', 'sandbox-declaration-child.js'].map((name) => `apps/sandbox/${name}`);
  const scripts = apps
    .filter((app) => app !== 'apps/sandbox' && app !== 'apps/job-scaler')
    .flatMap((app) => [`${app}/main.js`, `${app}/sql-child.js`]);
  // Those that run or check customers' code.
  const children = ['rule-compile-child.js', 'sandbox-child.js', 'sandbox-declaration-child.js'];
  const expected = [
    ...served,
    'apps/job-scaler/main.js',
    ...scripts,
    ...['control', 'meterflow', 'rule-execution'].flatMap((app) => children.map((name) => `apps/${app}/${name}`)),
  ];
  const files = globSync('apps/*/*.js', { cwd: folder }).map((file) => file.replaceAll('\\', '/'));
  expect(files.toSorted()).toEqual(expected.toSorted());
});

test('the bundles bring the sample through all stages', async () => {
  const command = join(folder, 'apps/meterflow/main.js');
  const sample = join(repositoryRoot, 'samples/london-households.csv');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [command, 'import', sample, '--data-dir', join(folder, 'data'), '--json'],
    { cwd: folder, timeout: 90_000 },
  );
  expect(JSON.parse(stdout)).toMatchObject({ state: 'complete', inserted: 5_040, rejected: 0, batchesDead: 0 });
}, 120_000);
