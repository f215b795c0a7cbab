import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  entriesOf,
  fileBytesMax,
  isSource,
  isTestFile,
  projectFilesMax,
  type RuleProject,
} from '@meterflow/rule-compiler';
import { CommandError } from '../cli-context.ts';

/** Reads the sources of a folder, or of the folder of one rule: then that rule and its test alone are entries. */
export async function readProject(path: string): Promise<RuleProject> {
  const found = await stat(path).catch((error: unknown) => {
    throw new CommandError('file-missing', `there is no file or folder ${path}`, { cause: error });
  });
  const folder = found.isDirectory() ? path : dirname(path);
  const paths = await sourcesIn(folder);
  const files = new Map<string, string>();
  for (const source of paths) {
    files.set(source, textOf(await readFile(join(folder, source)), source));
  }
  const all = entriesOf(paths);
  if (found.isDirectory()) {
    return { files, entries: all };
  }
  const name = basename(path);
  if (!all.includes(name)) {
    throw new CommandError('rule-invalid', `${path} is no rule: a rule is a .ts or .js file`);
  }
  return { files, entries: all.filter((entry) => entry === name || entry === testOf(name)) };
}

function textOf(bytes: Uint8Array, source: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new CommandError('rule-invalid', `${source} is not UTF-8: save it in that encoding`, { cause: error });
  }
}

/** The test that lies beside a rule. */
function testOf(file: string): string {
  return file.replace(/\.([jt]s)$/, '.test.$1');
}

/** The rules among the entries. */
export function rulesOf({ entries }: RuleProject): readonly string[] {
  return entries.filter((entry) => !isTestFile(entry));
}

/** Links are not followed, and what packages and tools keep is left out. */
async function sourcesIn(folder: string, below = ''): Promise<string[]> {
  const sources: string[] = [];
  for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.')) {
      sources.push(...(await sourcesIn(folder, path)));
    } else if (entry.isFile() && isSource(path)) {
      await refuseLarge(join(folder, path));
      sources.push(path);
    }
    if (sources.length > projectFilesMax) {
      throw new CommandError(
        'rule-invalid',
        `${folder} has more than ${projectFilesMax} sources: give rules a folder of their own`,
      );
    }
  }
  return sources;
}

async function refuseLarge(path: string): Promise<void> {
  const { size } = await stat(path);
  if (size > fileBytesMax) {
    throw new CommandError('rule-invalid', `${path} has ${size} bytes; ${fileBytesMax} are the most: cut it down`);
  }
}
