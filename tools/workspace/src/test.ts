// `npm test`: lint, types, tests and format of every package, all of them even when one fails, and one line at the end
// that counts the tests. Exits 0 only when everything held.
import { machineParts } from './machine-parts.ts';
import { print } from './print.ts';
import { repositoryRoot } from './repository.ts';
import { runCommand } from './run-command.ts';
import {
  forgetTestResults,
  packagesWithTests,
  readTestResults,
  skippedWithoutLeave,
  type TestResults,
} from './test-results.ts';

interface Check {
  readonly name: string;
  readonly run: () => Promise<boolean>;
}

const checks: readonly Check[] = [
  { name: 'lint', run: () => everyPackage('lint') },
  { name: 'typecheck', run: () => everyPackage('typecheck') },
  { name: 'test', run: () => everyPackage('test', '-p', packagesWithTests(repositoryRoot).join(',')) },
  { name: 'format', run: () => runCommand('prettier', ['--check', '--log-level=warn', '.']) },
];

process.exitCode = (await testAll()) ? 0 : 1;

async function testAll(): Promise<boolean> {
  forgetTestResults(repositoryRoot);
  const failures: string[] = [];
  for (const check of checks) {
    print(`\n== ${check.name} ==`);
    const startMs = performance.now();
    const held = await check.run();
    print(`${check.name}: ${held ? 'ok' : 'FAILED'} (${((performance.now() - startMs) / 1000).toFixed(1)} s)`);
    if (!held) {
      failures.push(check.name);
    }
  }
  const results = readTestResults(repositoryRoot);
  if (!summarize(results)) {
    failures.push('summary');
  }
  if (failures.length > 0) {
    print(`\nFailed: ${failures.join(', ')}`);
  }
  const { passed, failed, skipped } = results;
  print(`\n${passed} passed, ${failed} failed, ${skipped.length} skipped`);
  return failures.length === 0;
}

function everyPackage(target: string, ...options: readonly string[]): Promise<boolean> {
  return runCommand('nx', ['run-many', '-t', target, '--parallel=2', '--output-style=stream', ...options]);
}

/** Lists what did not run and why. Returns whether the tests held: none failed, and in CI none skipped without leave. */
function summarize({ passed, failed, skipped, unheard }: TestResults): boolean {
  const parts = machineParts();
  const withoutLeave = process.env['CI'] === 'true' ? skippedWithoutLeave(skipped, parts) : [];
  print('\n== summary ==');
  list('Skipped:', skipped);
  list('Skipped, and must not be in CI:', withoutLeave);
  list('Test files that left no result (counted as failed):', unheard);
  list(
    'This machine lacks:',
    parts.filter((part) => !part.present).map((part) => part.name),
  );
  if (passed === 0) {
    print('No test ran.');
  }
  return passed > 0 && failed === 0 && withoutLeave.length === 0;
}

function list(heading: string, lines: readonly string[]): void {
  if (lines.length > 0) {
    print([heading, ...lines.map((line) => `  ${line}`)].join('\n'));
  }
}
