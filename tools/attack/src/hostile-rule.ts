import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { basename, extname, join } from 'node:path';
import { flowOf, ruleContract, ruleContractOf, type Flow } from '@meterflow/rules';
import { dayNeeds } from './day-of.ts';

const folder = join(import.meta.dirname, '../rules');

/** A rule that means harm, as its file has it. */
export interface HostileRule {
  /** Of its file. */
  readonly name: string;
  /** What it tries: the comment on its first line. */
  readonly tries: string;
  readonly source: string;
}

/** All rules of the suite. */
export async function hostileRules(): Promise<readonly HostileRule[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.js')).sort();
  return Promise.all(files.map((file) => hostileRule(join(folder, file))));
}

/** The rule of any file. It is taken as it is, past the checks of an upload, so that the sandbox alone stands against it. */
export async function hostileRule(file: string): Promise<HostileRule> {
  const text = await readFile(file, 'utf8');
  return {
    name: basename(file, extname(file)),
    tries: /^\/\/ (.*)/.exec(text)?.[1] ?? '',
    source: file.endsWith('.ts') ? withoutTypes(text) : text,
  };
}

/** A flow of it as a version of its own, so that quarantine of one version does not spare the sandbox the next try. */
export function flowOfTry({ name, source }: HostileRule, round: number): Flow {
  const id = createHash('sha256').update(`${source}\n${round}`).digest('hex');
  const looksAtDays = /\bonSeries\b/.test(source);
  const version = looksAtDays
    ? { id, name, contract: ruleContractOf(dayNeeds), source, series: dayNeeds }
    : { id, name, contract: ruleContract, source };
  return flowOf(name, [{ rule: version, parameters: {} }]);
}

/** What can't be read as TypeScript goes to the sandbox as it came. */
function withoutTypes(text: string): string {
  try {
    return stripTypeScriptTypes(text);
  } catch {
    return text;
  }
}
