import { mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { problemText, RuleCompiler } from '@meterflow/rule-compiler';
import { IsolatedSandbox, readDeclaration } from '@meterflow/sandbox';
import { CommandError, type Told } from '../cli-context.ts';
import { exampleProject } from '../rules/example-project.ts';
import { readProject } from '../rules/read-project.ts';
import { outcomeText, runTests } from '../rules/run-tests.ts';

/** Lays an example rule, its test and the SDK's types into a folder; changes nothing where one of them is there. */
export async function initRules(folder: string, { globals, output }: Told): Promise<void> {
  const project = exampleProject();
  for (const path of project.keys()) {
    const there = await stat(join(folder, path)).catch(() => undefined);
    if (there !== undefined) {
      throw new CommandError('file-exists', `${join(folder, path)} is there already: name an empty folder`);
    }
  }
  for (const [path, text] of project) {
    await layFile(join(folder, path), text);
  }
  const files = [...project.keys()];
  output.line(
    globals.json
      ? JSON.stringify({ folder, files })
      : `${files.map((path) => join(folder, path)).join('\n')}\nNext: meterflow rules test ${folder}`,
  );
}

async function layFile(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { flag: 'wx' });
  } catch (error) {
    throw new CommandError('not-written', `${path} can't be written: ${(error as Error).message}`, { cause: error });
  }
}

/** Compiles the rules of a folder and runs their tests in the sandbox; exits 0 only when all of it is well. */
export async function testRules(path: string, { globals, output }: Told): Promise<void> {
  const compiled = await new RuleCompiler({ declare: readDeclaration }).compile(await readProject(path));
  if ('problems' in compiled) {
    throw new CommandError('rule-invalid', compiled.problems.map(problemText).join('\n'));
  }
  const sandbox = new IsolatedSandbox();
  const outcomes = await runTests(sandbox, compiled).finally(() => sandbox.close());
  const failed = outcomes.filter(({ problem }) => problem !== undefined);
  if (globals.json) {
    output.line(
      JSON.stringify(outcomes.map(({ problem, ...rest }) => ({ ...rest, passed: problem === undefined, problem }))),
    );
  } else {
    compiled.rules.forEach(({ file, version }) => {
      output.line(`${file}: rule ${version.name}, version ${version.id.slice(0, 12)}`);
    });
    outcomes.forEach(({ rule, name, problem }) => {
      output.line(outcomeText({ rule, name, problem }));
    });
    const tested = new Set(compiled.tests.map(({ rule }) => rule));
    compiled.rules
      .filter(({ version }) => !tested.has(version.name))
      .forEach(({ file, version }) => {
        const tests = file.replace(/\.[jt]s$/, '.test.ts');
        output.line(`  none    ${version.name} has no tests: they stand in ${tests}, as meterflow rules init has them`);
      });
  }
  if (failed.length > 0) {
    throw new CommandError('tests-failed', `${failed.length} of ${outcomes.length} tests fail`);
  }
}
