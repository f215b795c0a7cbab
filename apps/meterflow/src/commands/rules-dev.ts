import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSource, problemText, RuleCompiler, type Compiled } from '@meterflow/rule-compiler';
import type { ReadingBatch } from '@meterflow/readings';
import type { ParameterValue, Sandbox } from '@meterflow/rules';
import { IsolatedSandbox, readDeclaration } from '@meterflow/sandbox';
import { CommandError, type Told } from '../cli-context.ts';
import { readProject } from '../rules/read-project.ts';
import { parametersIn } from '../rules/rule-words.ts';
import { outcomeText, runTests, type RuleOutcome } from '../rules/run-tests.ts';
import { bundledSample, bundledSampleFile, sampleReadingsOf } from '../rules/sample-readings.ts';
import { tryRule, type TriedRule } from '../rules/try-rule.ts';
import { table } from '../terminal/table.ts';

export interface DevRulesOptions {
  /** A file of readings to try the rules on; the bundled sample when not given. */
  readonly readings?: string;
  readonly parameters?: string;
  /** Once, and not again at each change. */
  readonly once?: boolean;
}

/** What one look at the folder found. */
interface Look {
  readonly problems: readonly string[];
  readonly tests: readonly RuleOutcome[];
  readonly tried: readonly TriedRule[];
}

const lookEveryMs = 250;

/** Checks, tests and tries the rules of a folder in the sandbox, again whenever a file is saved, until Ctrl-C. */
export async function devRules(path: string, options: DevRulesOptions, told: Told): Promise<void> {
  const parameters = options.parameters === undefined ? {} : parametersIn(options.parameters);
  const sample = {
    batches: await sampleReadingsOf(options.readings ?? bundledSampleFile()),
    parameters: parameters as Readonly<Record<string, ParameterValue>>,
  };
  const ending = new AbortController();
  const end = (): void => {
    ending.abort();
  };
  const sandbox = new IsolatedSandbox();
  const compiler = new RuleCompiler({ declare: readDeclaration });
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  try {
    let seen = '';
    do {
      const signature = await signatureOf(path);
      if (signature !== seen) {
        seen = signature;
        const look = await lookAt(path, { compiler, sandbox, sample });
        tell(look, told, options.readings ?? bundledSample);
        if (options.once === true) {
          refuseBad(look);
        }
      }
      await sleep(lookEveryMs, undefined, { signal: ending.signal }).catch(() => undefined);
    } while (options.once !== true && !ending.signal.aborted);
  } finally {
    process.off('SIGINT', end);
    process.off('SIGTERM', end);
    await sandbox.close();
  }
}

async function lookAt(
  path: string,
  {
    compiler,
    sandbox,
    sample,
  }: {
    readonly compiler: RuleCompiler;
    readonly sandbox: Sandbox;
    readonly sample: {
      readonly batches: readonly ReadingBatch[];
      readonly parameters: Readonly<Record<string, ParameterValue>>;
    };
  },
): Promise<Look> {
  try {
    const compiled: Compiled = await compiler.compile(await readProject(path));
    if ('problems' in compiled) {
      return { problems: compiled.problems.map(problemText), tests: [], tried: [] };
    }
    const tests = await runTests(sandbox, compiled);
    const tried: TriedRule[] = [];
    for (const rule of compiled.rules) {
      tried.push(await tryRule(sandbox, rule, sample));
    }
    return { problems: [], tests, tried };
  } catch (error) {
    if (error instanceof CommandError) {
      return { problems: [error.message], tests: [], tried: [] };
    }
    throw error;
  }
}

function tell(look: Look, { globals, output }: Told, sample: string): void {
  if (globals.json) {
    const tests = look.tests.map(({ problem, ...rest }) => ({ ...rest, passed: problem === undefined, problem }));
    output.line(JSON.stringify({ ...look, tests }));
    return;
  }
  const failed = look.tests.filter(({ problem }) => problem !== undefined).length;
  const parts = [
    ...look.problems,
    ...(look.tests.length === 0
      ? []
      : [
          `${look.tests.length - failed} of ${look.tests.length} tests pass`,
          ...look.tests.filter(({ problem }) => problem !== undefined).map(outcomeText),
        ]),
    ...look.tried.map((each) => triedText(each, sample)),
  ];
  output.line(`${new Date().toTimeString().slice(0, 8)}  ${parts.join('\n')}\n`);
}

function triedText({ rule, readings, changed, first, problem }: TriedRule, sample: string): string {
  if (problem !== undefined) {
    return `${rule}: ${problem}`;
  }
  const head = `${rule} on ${sample}: ${changed} of ${readings} readings otherwise`;
  const cells = first.map((each) => [
    each.meter,
    each.channel,
    each.start,
    each.before,
    each.after,
    each.quality,
    each.reason,
  ]);
  const columns = ['meter', 'channel', 'start', 'before', 'after', 'quality', 'reason'];
  return changed === 0 ? head : `${head}\n${table(columns, cells)}`;
}

function refuseBad({ problems, tests, tried }: Look): void {
  const failed = tests.filter(({ problem }) => problem !== undefined).length;
  const untried = tried.flatMap(({ rule, problem }) => (problem === undefined ? [] : [`${rule}: ${problem}`]));
  if (problems.length > 0 || untried.length > 0) {
    throw new CommandError('rule-invalid', [...problems, ...untried].join('\n'));
  }
  if (failed > 0) {
    throw new CommandError('tests-failed', `${failed} of ${tests.length} tests fail`);
  }
}

/** Names, sizes and times of what the rules are made of: equal ones need no second look. */
async function signatureOf(path: string): Promise<string> {
  const found = await stat(path).catch((error: unknown) => {
    throw new CommandError('file-missing', `there is no file or folder ${path}`, { cause: error });
  });
  const folder = found.isDirectory() ? path : dirname(path);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sources = entries.filter(
    (entry) => entry.isFile() && isSource(entry.name) && !entry.parentPath.includes('node_modules'),
  );
  const facts = await Promise.all(
    sources.map(async ({ parentPath, name }) => {
      const file = await stat(join(parentPath, name)).catch(() => undefined);
      return [parentPath, name, file?.mtimeMs, file?.size];
    }),
  );
  return JSON.stringify(facts.sort());
}
