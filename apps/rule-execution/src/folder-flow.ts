import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { stockRules, type Flow, type RuleVersion } from '@meterflow/rules';
import { compileRule } from '@meterflow/sandbox';
import { FlowFileError, parseFlowFile, type FlowFile } from './flow-file.ts';

export const ruleFilesMax = 50;
export const ruleFileBytesMax = 1024 * 1024;
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
 * The flow that a tenant's folder makes: rule files in the order of `flow.json`, or of their names. Undefined where the
 * folder holds neither. Throws {@link FlowFileError} or RuleFailureError for what can't be one.
 */
export async function folderFlow(folder: string): Promise<FolderFlow | undefined> {
  const names = await flowFiles(folder);
  if (names.length === 0) {
    return undefined;
  }
  if (names.length > ruleFilesMax) {
    throw new FlowFileError(`more than ${ruleFilesMax} files`);
  }
  const rules = new Map(stockRules.map((rule) => [rule.name, rule]));
  const own: string[] = [];
  let file: FlowFile | undefined;
  for (const name of names) {
    const text = await readLimited(join(folder, name), name);
    if (name === flowFileName) {
      file = parseFlowFile(text);
    } else {
      const ruleName = name.slice(0, -extname(name).length);
      rules.set(ruleName, compileRule(text, name));
      own.push(ruleName);
    }
  }
  return flowOf(
    file ?? { onFailure: 'skip', decimals: 6, steps: own.map((rule) => ({ rule, parameters: {}, channels: '*' })) },
    rules,
  );
}

function flowOf({ onFailure, decimals, steps }: FlowFile, rules: ReadonlyMap<string, RuleVersion>): FolderFlow {
  const resolved = steps.map(({ rule: name, parameters, channels }) => {
    const rule = rules.get(name);
    if (rule === undefined) {
      throw new FlowFileError(
        `flow.json names the rule ${name}, but there is no ${name}.ts, and no stock rule of that name`,
      );
    }
    return { rule, parameters, channels };
  });
  return { flow: { name: 'folder', steps: resolved, onFailure }, decimals };
}

async function flowFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  return names.filter((name) => name === flowFileName || /^[^.].*\.(?:ts|js)$/.test(name)).sort();
}

async function readLimited(path: string, name: string): Promise<string> {
  if ((await stat(path)).size > ruleFileBytesMax) {
    throw new FlowFileError(`${name} is larger than ${ruleFileBytesMax} bytes`);
  }
  return readFile(path, 'utf8');
}
