import { join } from 'node:path';
import { parseOptions, print, wholeNumber } from '@meterflow/command-line';
import { machineParts } from './machine-parts.ts';
import { repositoryRoot } from './repository.ts';
import { runCommand } from './run-command.ts';
import {
  forgetTestResults,
  packagesWithTests,
  readTestResults,
  skippedWithoutLeave,
  type Suite,
  type TestResults,
} from './test-results.ts';

const usage = `npm test [-- --long --seed N], npm run test:cluster [-- --full]

Lint, types, tests and format of every package, all of them even when one fails, and one line at the end that counts the
tests and names those that failed. Exits 0 only when everything held.

  --long      also the suites that need minutes
  --cluster   what needs the control plane of a Kubernetes cluster or a real node, and nothing else
  --full      of those the long form
  --seed N    what properties draw their cases from; "random": cases that no run has seen (otherwise always the same)`;

interface Check {
  readonly name: string;
  readonly run: () => Promise<boolean>;
}

const flag = { type: 'boolean', default: false } as const;
const { values: options } = parseOptions(usage, {
  options: { long: flag, cluster: flag, full: flag, seed: { type: 'string', default: '1' } },
});
const seed = options.seed === 'random' ? options.seed : String(wholeNumber('seed', options.seed));
const suites: readonly Suite[] = options.cluster
  ? ['cluster', 'node']
  : options.long
    ? ['default', 'long']
    : ['default'];
/** How many random scenarios the full form compares with the HPA controller. */
const fullScenarios = '10000';
const fullForm = options.full
  ? { METERFLOW_HPA_SCENARIOS: process.env['METERFLOW_HPA_SCENARIOS'] ?? fullScenarios, METERFLOW_FULL: 'true' }
  : {};

const everything: readonly Check[] = [
  { name: 'lint', run: () => everyPackage('lint') },
  { name: 'typecheck', run: () => everyPackage('typecheck') },
  ...suites.map(testsOf),
  { name: 'format', run: () => runCommand('prettier', ['--check', '--log-level=warn', '.']) },
];
const checks = options.cluster ? suites.map(testsOf) : everything;

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
  const results = readTestResults(repositoryRoot, suites);
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

function testsOf(suite: Suite): Check {
  return { name: suite === 'default' ? 'test' : `${suite} tests`, run: () => testPackages(suite) };
}

function everyPackage(target: string): Promise<boolean> {
  return runCommand('nx', ['run-many', '-t', target, '--parallel=2', '--output-style=stream']);
}

/** Long suites run one after the other: they start servers and measure. */
function testPackages(suite: Suite): Promise<boolean> {
  const packages = packagesWithTests(repositoryRoot, suite).join(',');
  const parallel = suite === 'default' ? 2 : 1;
  const command = ['run-many', '-t', 'test', `--parallel=${parallel}`, '--output-style=stream', '-p', packages];
  const env = { ...fullForm, METERFLOW_SUITE: suite, METERFLOW_SEED: seed };
  if (packages === '') {
    return Promise.resolve(true);
  }
  return runCommand('nx', command, suite === 'node' ? inRealNode(env) : { env });
}

/** What needs pods runs inside the node's own network, where its addresses and the names of services are known. */
function inRealNode(env: Readonly<Record<string, string>>): Parameters<typeof runCommand>[2] {
  const scripts = process.env['METERFLOW_REAL_NODE'];
  if (scripts === undefined) {
    return { env };
  }
  const inside = { METERFLOW_NODE_ADDRESS: '10.244.0.1', NX_DAEMON: 'false' };
  return { env: { ...env, ...inside }, through: join(scripts, 'in-node.sh') };
}

/** Lists what did not run and why. Returns whether the tests held: none failed, and in CI none skipped without leave. */
function summarize({ passed, failed, failures, skipped, unheard }: TestResults): boolean {
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
  list('Failed:', failures);
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
