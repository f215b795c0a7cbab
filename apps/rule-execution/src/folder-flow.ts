import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { entriesOf, isSource, isTestFile, problemText, type RuleCompiler } from '@meterflow/rule-compiler';
import {
  flowProblems,
  parameterProblems,
  stockRules,
  type Flow,
  type RuleDeclaration,
  type RuleVersion,
} from '@meterflow/rules';
import { FlowFileError, parseFlowFile, type FlowFile } from './flow-file.ts';

const ruleFilesMax = 200;
const ruleFileBytesMax = 1024 * 1024;
const flowFileName = 'flow.json';

export interface FolderFlow {
  readonly flow: Flow;
  readonly decimals: number;
}

/** Names, sizes and times of what a flow would be made of: equal ones need no second look. */
export async function folderSignature(folder: string): Promise<string> {
  const names = await flowFiles(folder);
  const stats = await Promise.all(names.map(async (name) => ({ name, stat: await stat(join(folder, name)) })));
  return JSON.stringify(stats.map(({ name, stat: { mtimeMs, size, ino } }) => [name, mtimeMs, size, ino]));
}

/**
 * The flow that a tenant's folder makes: the rules at its top in the order of `flow.json`, or of their files' names.
 * Undefined where the folder holds neither. Throws {@link FlowFileError} for what can't be one, and tells all of it.
 */
export async function folderFlow(
  folder: string,
  compiler: Pick<RuleCompiler, 'compile'>,
): Promise<FolderFlow | undefined> {
  const names = await flowFiles(folder);
  const sources = names.filter((name) => name !== flowFileName);
  const entries = entriesOf(sources).filter((name) => !isTestFile(name));
  if (entries.length === 0 && sources.length === names.length) {
    return undefined;
  }
  if (names.length > ruleFilesMax) {
    throw new FlowFileError(`more than ${ruleFilesMax} files`);
  }
  const texts = new Map<string, string>();
  for (const name of names) {
    texts.set(name, await readLimited(join(folder, name), name));
  }
  const flowText = texts.get(flowFileName);
  const file = flowText === undefined ? undefined : parseFlowFile(flowText);
  texts.delete(flowFileName);
  const own = entries.length === 0 ? [] : await compiledRules({ files: texts, entries }, compiler);
  const inOrder = own.map(({ version: { name } }) => ({
    rule: name,
    parameters: {},
    channels: '*',
    severity: 'terminate' as const,
  }));
  return flowOf(file ?? { onFailure: 'skip', decimals: 6, steps: inOrder }, own);
}

interface OwnRule {
  readonly version: RuleVersion;
  readonly declaration?: RuleDeclaration;
}

async function compiledRules(
  project: Parameters<RuleCompiler['compile']>[0],
  compiler: Pick<RuleCompiler, 'compile'>,
): Promise<readonly OwnRule[]> {
  const compiled = await compiler.compile(project);
  if ('problems' in compiled) {
    throw new FlowFileError(compiled.problems.map(problemText).join('\n'));
  }
  return compiled.rules;
}

function flowOf({ onFailure, decimals, steps }: FlowFile, own: readonly OwnRule[]): FolderFlow {
  const rules = new Map<string, OwnRule>([...stockRules.values(), ...own].map((rule) => [rule.version.name, rule]));
  const resolved = steps.map(({ rule: name, parameters, channels, severity }) => {
    const rule = rules.get(name);
    if (rule === undefined) {
      throw new FlowFileError(
        `flow.json names the rule ${name}, but there is no ${name}.ts, and no stock rule of that name`,
      );
    }
    const [problem] = rule.declaration === undefined ? [] : parameterProblems(rule.declaration, parameters);
    if (problem !== undefined) {
      throw new FlowFileError(`flow.json: rule ${name}: parameter ${problem.parameter} ${problem.problem}`);
    }
    return { rule: rule.version, parameters, channels, ...(severity === 'terminate' ? {} : { severity }) };
  });
  const flow = { name: 'folder', steps: resolved, onFailure };
  const problems = flowProblems(flow);
  if (problems.length > 0) {
    const told = problems.map((each) => `flow.json: rule ${each.rule} ${each.problem}`);
    throw new FlowFileError(told.join('\n'));
  }
  return { flow, decimals };
}

/** Paths within the folder, those that a rule can be made of and `flow.json`. */
async function flowFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    );
  return paths.filter((path) => path === flowFileName || isSource(path)).sort();
}

async function readLimited(path: string, name: string): Promise<string> {
  if ((await stat(path)).size > ruleFileBytesMax) {
    throw new FlowFileError(`${name} is larger than ${ruleFileBytesMax} bytes`);
  }
  return readFile(path, 'utf8');
}
