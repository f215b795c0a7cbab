import { existsSync, globSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { MachinePart } from './machine-parts.ts';

/** What became of the tests of a run. */
export interface TestResults {
  readonly passed: number;
  readonly failed: number;
  /** What failed: the package, the test's full name and the first lines of why. */
  readonly failures: readonly string[];
  /** The full names of the tests that did not run, each with its package in front. */
  readonly skipped: readonly string[];
  /** Test files that left no result, as `<package folder>/src/…`. They count as failed. */
  readonly unheard: readonly string[];
}

/** The part of Vitest's JSON report that is read here. */
interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    /** Why the file failed, where it did so outside its tests. */
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

const resultsFolder = 'dist/tests';
/** So much of a failure's message stands in the closing summary: a property's seed and counterexample among it. */
const reasonLinesMax = 6;
const reasonLineCharsMax = 300;

/** Which tests: `default` is all but those whose files end in the name of another suite, as in `a.long.test.ts`. */
export type Suite = 'default' | 'long' | 'cluster' | 'node';

/** Removes the results of earlier runs, so that none is counted for this one. */
export function forgetTestResults(root: string): void {
  rmSync(join(root, resultsFolder), { recursive: true, force: true });
}

/** Reads the results that every package's Vitest left, and holds them against the test files that there are. */
export function readTestResults(root: string, suites: readonly Suite[] = ['default']): TestResults {
  const totals: Totals = { passed: 0, failed: 0, failures: [], skipped: [], unheard: [] };
  for (const suite of suites) {
    for (const projectFolder of packageFolders(root)) {
      const files = testFiles(root, projectFolder, suite);
      addResults(totals, { root, projectFolder, files, report: reportOf(root, projectFolder, suite) });
    }
  }
  return { ...totals, failed: totals.failed + totals.unheard.length };
}

interface Totals {
  passed: number;
  failed: number;
  readonly failures: string[];
  readonly skipped: string[];
  readonly unheard: string[];
}

interface SuiteOfPackage {
  readonly root: string;
  readonly projectFolder: string;
  readonly files: readonly string[];
  readonly report: VitestReport;
}

function addResults(totals: Totals, { root, projectFolder, files, report }: SuiteOfPackage): void {
  const heard = new Set(report.testResults.map((file) => file.name.replaceAll('\\', '/')));
  totals.unheard.push(...files.filter((file) => !heard.has(join(root, file).replaceAll('\\', '/'))));
  for (const file of report.testResults) {
    const tests = Object.groupBy(file.assertionResults, ({ status }) =>
      status === 'passed' || status === 'failed' ? status : 'skipped',
    );
    const failures = (tests.failed ?? []).map(({ fullName, failureMessages }) => `${fullName}${why(failureMessages)}`);
    // A file that fails outside its tests (an import, a hook) counts as one failed test.
    if (file.status === 'failed' && failures.length === 0) {
      failures.push(`${relative(root, file.name)}${why([file.message ?? ''])}`);
    }
    totals.passed += (tests.passed ?? []).length;
    totals.failed += failures.length;
    totals.failures.push(...failures.map((failure) => `${projectFolder}: ${failure}`));
    totals.skipped.push(...(tests.skipped ?? []).map(({ fullName }) => `${projectFolder}: ${fullName}`));
  }
}

function why(messages: readonly string[] = []): string {
  return stripVTControlCharacters(messages.join('\n'))
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(0, reasonLinesMax)
    .map((line) => `\n      ${line.slice(0, reasonLineCharsMax)}`)
    .join('');
}

/** The names of the packages that have tests in a suite. */
export function packagesWithTests(root: string, suite: Suite = 'default'): readonly string[] {
  return packageFolders(root)
    .filter((folder) => testFiles(root, folder, suite).length > 0)
    .map((folder) => {
      const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
        readonly name: string;
      };
      return manifest.name;
    });
}

/** The skipped tests that must not be: all but those whose title names a part that is absent and may be. */
export function skippedWithoutLeave(
  skipped: readonly string[],
  parts: readonly Pick<MachinePart, 'marker' | 'present' | 'absenceAllowed'>[],
): readonly string[] {
  const leave = parts.filter((part) => part.absenceAllowed && !part.present).map((part) => `[needs ${part.marker}]`);
  return skipped.filter((name) => !leave.some((marker) => name.includes(marker)));
}

function packageFolders(root: string): readonly string[] {
  return globSync('{apps,libs,tools}/*/package.json', { cwd: root })
    .map((file) => dirname(file).replaceAll('\\', '/'))
    .toSorted();
}

function testFiles(root: string, projectFolder: string, suite: Suite): readonly string[] {
  return globSync(`${projectFolder}/src/**/*.test.ts`, { cwd: root })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => (/\.(long|cluster|node)\.test\.ts$/.exec(file)?.[1] ?? 'default') === suite);
}

/** Where `projectTests` of vitest.shared.ts lets Vitest write. */
function reportOf(root: string, projectFolder: string, suite: Suite): VitestReport {
  const name = `${projectFolder.replaceAll('/', '-')}${suite === 'default' ? '' : `.${suite}`}.json`;
  const file = join(root, resultsFolder, name);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as VitestReport) : { testResults: [] };
}
