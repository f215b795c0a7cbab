import { parseOptions, print, refuse } from '@meterflow/command-line';
import { energinetSuite } from './energinet/energinet-suite.ts';
import { oedSuite } from './oed/oed-suite.ts';
import { PipelineOnDemand } from './pipeline.ts';
import { runSuite } from './run-suite.ts';
import type { Suite } from './suite.ts';
import { tableOf } from './table.ts';

const suites: ReadonlyMap<string, Suite> = new Map([
  ['oed', oedSuite],
  ['energinet', energinetSuite],
]);

const usage = `npm run conformance -- SUITE [--dir FOLDER] [--json]

Runs cases that others made, and compares what comes of them with what they expect, row by row.

${[...suites].map(([name, { title }]) => `  ${name.padEnd(12)} ${title}`).join('\n')}

  --dir FOLDER   the cases (default: those of the shared folder, METERFLOW_SHARED, ../shared)
  --json         one JSON object

Exits 0 only when all cases pass.`;

const { values, positionals } = parseOptions(usage, {
  allowPositionals: true,
  options: {
    dir: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

const [name = ''] = positionals;
const suite = suites.get(name);
if (suite === undefined || positionals.length > 1) {
  refuse(usage);
} else {
  const folder = values.dir ?? suite.folder;
  const cases = await suite
    .cases(folder)
    .catch((error: unknown) => refuse(`There are no cases of ${name} in ${folder}: ${(error as Error).message}`));
  const pipeline = new PipelineOnDemand();
  try {
    const startedMs = performance.now();
    const verdicts = await runSuite(cases, pipeline.started);
    const seconds = Math.round(performance.now() - startedMs) / 1_000;
    const failed = verdicts.filter(({ passed }) => !passed).length;
    const told = { suite: name, folder, passed: verdicts.length - failed, failed, seconds, cases: verdicts };
    print(values.json ? JSON.stringify(told) : tableOf(verdicts));
    process.exitCode = failed === 0 && verdicts.length > 0 ? 0 : 1;
  } finally {
    await pipeline.stop();
  }
}
