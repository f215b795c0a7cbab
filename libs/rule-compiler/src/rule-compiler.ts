import { createHash } from 'node:crypto';
import {
  bundledSource,
  ruleContractOf,
  ruleDeclaration,
  RuleDeclarationError,
  RuleFailureError,
  ruleTests,
  type RuleDeclaration,
  type RuleTests,
  type RuleVersion,
} from '@meterflow/rules';
import type { BundledModule } from './bundle-module.ts';
import { compileInChild } from './compile-in-child.ts';
import type { CompileAnswer, CompiledModule } from './compile-request.ts';
import { compilationsWaitingMax } from './limits.ts';
import { isTestFile, projectProblems, type RuleProject } from './project.ts';
import { shownProblems, type SourceProblem } from './source-problem.ts';

export interface CompiledRule {
  /** Path of its file. */
  readonly file: string;
  readonly version: RuleVersion;
  readonly declaration: RuleDeclaration;
  /** All that it is made of. */
  readonly files: ReadonlyMap<string, string>;
}

export interface CompiledTests extends RuleTests {
  readonly file: string;
  readonly files: ReadonlyMap<string, string>;
}

export type Compiled =
  | { readonly rules: readonly CompiledRule[]; readonly tests: readonly CompiledTests[] }
  | { readonly problems: readonly SourceProblem[] };

export interface RuleCompilerPorts {
  /**
   * Evaluates an expression where it can harm nobody, and resolves with its value as JSON has it, functions as `true`.
   * Rejects with a RuleFailureError, or with an error that has the `line` of the expression, for what the code did.
   */
  readonly declare: (expression: string) => Promise<unknown>;
}

/** Thrown when so many compilations wait already that one more is refused: try again later. */
export class CompilerBusyError extends Error {
  override readonly name = 'CompilerBusyError';
}

/** Makes rule versions of the files that customers write; one project after the other. */
export class RuleCompiler {
  readonly #ports: RuleCompilerPorts;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(ports: RuleCompilerPorts) {
    this.#ports = ports;
  }

  /** Bundles, checks types, and reads what is declared. The same files give the same versions, whatever lies beside them. */
  async compile(project: RuleProject): Promise<Compiled> {
    const problems = projectProblems(project);
    if (problems.length > 0) {
      return { problems: shownProblems(problems) };
    }
    if (this.#waiting >= compilationsWaitingMax) {
      throw new CompilerBusyError('too many rules are being compiled: try again in a moment');
    }
    this.#waiting += 1;
    const turn = this.#last.then(() => compileInChild(project));
    this.#last = turn.catch(() => undefined);
    try {
      return await this.#declared(project, await turn);
    } finally {
      this.#waiting -= 1;
    }
  }

  async #declared(project: RuleProject, answer: CompileAnswer): Promise<Compiled> {
    if ('problems' in answer) {
      return answer;
    }
    const rules: CompiledRule[] = [];
    const tests: CompiledTests[] = [];
    const problems: SourceProblem[] = [];
    for (const { file, ...bundled } of answer.modules) {
      try {
        const told = await this.#ports.declare(`(() => {\n${bundled.body}\n})()`);
        const files = new Map(bundled.inputs.map((path) => [path, project.files.get(path) ?? '']));
        if (isTestFile(file)) {
          tests.push({ file, files, ...ruleTests(told) });
        } else {
          rules.push({ file, files, ...versionOf(bundled, files, ruleDeclaration(told)) });
        }
      } catch (error) {
        problems.push(declarationProblem(error, file, bundled));
      }
    }
    problems.push(...doubles(rules));
    return problems.length === 0 ? { rules, tests } : { problems: shownProblems(problems) };
  }
}

function versionOf(
  { body, lines, contract: used }: Omit<CompiledModule, 'file'>,
  files: ReadonlyMap<string, string>,
  declaration: RuleDeclaration,
): Pick<CompiledRule, 'version' | 'declaration'> {
  const { name, series } = declaration;
  const contract = ruleContractOf(series, used);
  const made = JSON.stringify([contract, name, [...files].sort(([a], [b]) => (a < b ? -1 : 1))]);
  const id = createHash('sha256').update(made).digest('hex');
  const needs = series === undefined ? {} : { series };
  return { version: { id, name, contract, source: bundledSource(body), lines, ...needs }, declaration };
}

function declarationProblem(error: unknown, file: string, { lines }: BundledModule): SourceProblem {
  if (error instanceof RuleDeclarationError || error instanceof RuleFailureError) {
    return { file, line: 1, column: 1, message: error.message };
  }
  if (error instanceof Error && 'line' in error && typeof error.line === 'number') {
    // The expression lacks the first line of the source; where the code threw is known by line alone.
    const [place = file, line = '1'] = /^(.+):(\d+)$/.exec(lines[error.line] ?? '')?.slice(1) ?? [];
    return { file: place, line: Number(line), column: 1, message: `its top level threw: ${error.message}` };
  }
  throw error;
}

function doubles(rules: readonly CompiledRule[]): SourceProblem[] {
  return rules.flatMap(({ file, version: { name } }, index) => {
    const first = rules.findIndex(({ version }) => version.name === name);
    const message = `it is called ${name}, as ${rules[first]?.file ?? ''} is: give it a name of its own`;
    return first === index ? [] : [{ file, line: 1, column: 1, message }];
  });
}
