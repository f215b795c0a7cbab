import { mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { problemText, RuleCompiler, type CompiledRule, type CompiledTests } from '@meterflow/rule-compiler';
import { runRuleTests, type CaseOutcome } from '@meterflow/rules';
import { IsolatedSandbox, readDeclaration } from '@meterflow/sandbox';
import { CommandError, type Told } from '../cli-context.ts';
import { exampleProject } from '../rules/example-project.ts';
import { readProject } from '../rules/read-project.ts';

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
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text, { flag: 'wx' });
  }
  const files = [...project.keys()];
  output.line(
    globals.json
      ? JSON.stringify({ folder, files })
      : `${files.map((path) => join(folder, path)).join('\n')}\nNext: meterflow rules test ${folder}`,
  );
}

/** Compiles the rules of a folder and runs their tests in the sandbox; exits 0 only when all of it is well. */
export async function testRules(path: string, { globals, output }: Told): Promise<void> {
  const compiled = await new RuleCompiler({ declare: readDeclaration }).compile(await readProject(path));
  if ('problems' in compiled) {
    throw new CommandError('rule-invalid', compiled.problems.map(problemText).join('\n'));
  }
  const outcomes = await outcomesOf(compiled.rules, compiled.tests);
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
      output.line(
        problem === undefined ? `  ok      ${rule}: ${name}` : `  failed  ${rule}: ${name}\n          ${problem}`,
      );
    });
  }
  if (failed.length > 0) {
    throw new CommandError('tests-failed', `${failed.length} of ${outcomes.length} tests fail`);
  }
}

async function outcomesOf(
  rules: readonly CompiledRule[],
  tests: readonly CompiledTests[],
): Promise<(CaseOutcome & { readonly rule: string })[]> {
  const sandbox = new IsolatedSandbox();
  try {
    const outcomes: (CaseOutcome & { readonly rule: string })[] = [];
    for (const { file, rule: name, cases } of tests) {
      const rule = rules.find(({ version }) => version.name === name);
      if (rule === undefined) {
        throw new CommandError('rule-invalid', `${file} tests the rule ${name}, but no file of the folder exports it`);
      }
      const { version, declaration } = rule;
      const told = await runRuleTests(sandbox, { rule: version, declaration }, cases);
      outcomes.push(...told.map((outcome) => ({ rule: name, ...outcome })));
    }
    return outcomes;
  } finally {
    await sandbox.close();
  }
}
