import { fileBytesMax, projectBytesMax, projectFilesMax } from './limits.ts';
import type { SourceProblem } from './source-problem.ts';

/** A folder of rules: texts by path, relative, with `/`. */
export interface RuleProject {
  readonly files: ReadonlyMap<string, string>;
  /** Those of them that export a rule, or tests of one (`*.test.ts`). The others are there to be imported. */
  readonly entries: readonly string[];
}

const sourcePath = /^(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/)*[A-Za-z0-9_-][A-Za-z0-9._-]*\.(?:ts|js)$/;

export function isTestFile(path: string): boolean {
  return /\.test\.[jt]s$/.test(path);
}

/** Files at the top of a folder are rules and their tests; what else they are made of is in folders below. */
export function entriesOf(paths: Iterable<string>): string[] {
  return [...paths].filter((path) => !path.includes('/') && isSource(path)).sort();
}

/** Whether a file of a folder is one that a rule can be made of. */
export function isSource(path: string): boolean {
  return sourcePath.test(path) && !path.endsWith('.d.ts') && path.length <= 200;
}

/** What is wrong with a project before anything of it is read. */
export function projectProblems({ files, entries }: RuleProject): SourceProblem[] {
  const about = (file: string, message: string): SourceProblem => ({ file, line: 0, column: 0, message });
  if (files.size > projectFilesMax) {
    return [about('', `it has ${files.size} files; ${projectFilesMax} are the most`)];
  }
  const sizes = [...files].map(([path, text]) => ({ path, bytes: Buffer.byteLength(text) }));
  const large = sizes.filter(({ bytes }) => bytes > fileBytesMax);
  if (large.length > 0) {
    return large.map(({ path, bytes }) =>
      about(path, `it has ${bytes} bytes; ${fileBytesMax} are the most: cut it down`),
    );
  }
  if (sizes.reduce((sum, { bytes }) => sum + bytes, 0) > projectBytesMax) {
    return [about('', `its files have more than ${projectBytesMax} bytes together: leave out what no rule imports`)];
  }
  const odd = [...files.keys()].find((path) => !isSource(path));
  if (odd !== undefined) {
    return [about(odd.slice(0, 200), 'a source is a .ts or .js file, its path of letters, digits, - and _')];
  }
  const missing = entries.find((entry) => !files.has(entry));
  if (missing !== undefined) {
    return [about(missing, 'there is no such file in the folder')];
  }
  return entries.length === 0 ? [about('', 'there is no rule: `meterflow rules init` makes an example')] : [];
}
