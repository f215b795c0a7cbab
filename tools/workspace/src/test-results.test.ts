import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { forgetTestResults, packagesWithTests, readTestResults, skippedWithoutLeave } from './test-results.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'test-results-'));
  write('libs/one/package.json', '{ "name": "@meterflow/one" }');
  write('apps/two/package.json', '{ "name": "@meterflow/two" }');
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function write(file: string, text = ''): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

function report(project: string, files: Record<string, readonly [status: string, ...tests: string[]]>): void {
  const testResults = Object.entries(files).map(([file, [status, ...tests]]) => ({
    name: join(root, file),
    status,
    assertionResults: tests.map((test) => ({
      status: test,
      fullName: `a ${test} test`,
      failureMessages: test === 'failed' ? ['\u001b[31mError: Property failed\u001b[39m\n\n{ seed: 7 }'] : [],
    })),
  }));
  write(`dist/tests/${project}.json`, JSON.stringify({ testResults }));
}

describe('the count of the tests', () => {
  test('adds up what every package left, and names what was skipped', () => {
    write('libs/one/src/a.test.ts');
    write('apps/two/src/b.test.ts');
    report('libs-one', { 'libs/one/src/a.test.ts': ['passed', 'passed', 'passed', 'skipped'] });
    report('apps-two', { 'apps/two/src/b.test.ts': ['failed', 'passed', 'failed', 'todo'] });
    expect(readTestResults(root)).toEqual({
      passed: 3,
      failed: 1,
      failures: ['apps/two: a failed test\n      Error: Property failed\n      { seed: 7 }'],
      skipped: ['apps/two: a todo test', 'libs/one: a skipped test'],
      unheard: [],
    });
  });

  test('a file that fails before its first test counts as one failure', () => {
    write('libs/one/src/a.test.ts');
    report('libs-one', { 'libs/one/src/a.test.ts': ['failed'] });
    expect(readTestResults(root)).toMatchObject({ failed: 1, failures: [join('libs/one: libs/one/src/a.test.ts')] });
  });

  test('a test file without a result counts as a failure, a long one does not', () => {
    write('libs/one/src/a.test.ts');
    write('libs/one/src/b.long.test.ts');
    expect(readTestResults(root)).toMatchObject({ failed: 1, unheard: ['libs/one/src/a.test.ts'] });
  });

  test('a long suite is counted where it is asked for, by results of its own', () => {
    write('libs/one/src/a.test.ts');
    write('libs/one/src/b.long.test.ts');
    write('apps/two/src/c.long.test.ts');
    report('libs-one', { 'libs/one/src/a.test.ts': ['passed', 'passed'] });
    report('libs-one.long', { 'libs/one/src/b.long.test.ts': ['passed', 'passed', 'skipped'] });
    expect(readTestResults(root, ['default', 'long'])).toEqual({
      passed: 2,
      failed: 1,
      failures: [],
      skipped: ['libs/one: a skipped test'],
      unheard: ['apps/two/src/c.long.test.ts'],
    });
  });

  test('only packages with tests are run', () => {
    write('libs/one/src/a.test.ts');
    write('apps/two/src/b.cluster.test.ts');
    expect(packagesWithTests(root)).toEqual(['@meterflow/one']);
    expect(packagesWithTests(root, 'cluster')).toEqual(['@meterflow/two']);
  });

  test('results of an earlier run are forgotten', () => {
    report('libs-one', { 'libs/one/src/a.test.ts': ['passed', 'passed'] });
    forgetTestResults(root);
    expect(readTestResults(root).passed).toBe(0);
  });
});

describe('leave to skip in CI', () => {
  const shared = { marker: 'shared', present: false, absenceAllowed: true };
  const redis = { marker: 'redis', present: false, absenceAllowed: false };

  test('is given where the shared folder is absent', () => {
    expect(skippedWithoutLeave(['libs/one: reads a year [needs shared]'], [shared, redis])).toEqual([]);
  });

  test('is refused where it is present', () => {
    const skipped = ['libs/one: reads a year [needs shared]'];
    expect(skippedWithoutLeave(skipped, [{ ...shared, present: true }])).toEqual(skipped);
  });

  test('is refused for what CI must install, and for tests that name nothing', () => {
    const skipped = ['libs/one: dedupes [needs redis]', 'libs/one: something'];
    expect(skippedWithoutLeave(skipped, [shared, redis])).toEqual(skipped);
  });
});
