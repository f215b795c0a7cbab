import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { RuleFailureError } from '@meterflow/rules';
import { engineArguments } from './child-program.ts';
import { childEnvironment, confinedNode } from './confinement.ts';
import { declarationCharsMax, type DeclarationAnswer } from './declaration-answer.ts';

/** Wall time for one evaluation, the start of its process included. Honest modules take a tenth of a second. */
const declarationMsMax = 10_000;
const answerBytesMax = 4 * declarationCharsMax;

/** Thrown when a module's own code failed while it was evaluated. `line` of the expression counts from 1, 0: not known. */
export class ModuleFailureError extends Error {
  override readonly name = 'ModuleFailureError';
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

/**
 * Evaluates an expression, hostile until proven otherwise, in an isolate inside a process of its own; resolves with its
 * value as JSON has it, functions as `true`. Throws {@link ModuleFailureError} for what it throws, and
 * {@link RuleFailureError} where it took too long or all memory.
 */
export async function readDeclaration(expression: string): Promise<unknown> {
  const answer = await answerOf(expression);
  if ('problem' in answer) {
    throw new ModuleFailureError(answer.problem, answer.line);
  }
  return JSON.parse(answer.json) as unknown;
}

async function answerOf(expression: string): Promise<DeclarationAnswer> {
  const entry = childEntry();
  const [command, ...words] = confinedNode([...engineArguments(entry), entry]);
  const child = spawn(command, words, { cwd: '/', env: childEnvironment, stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      resolve();
    });
    child.once('error', () => {
      resolve();
    });
  });
  const startMs = performance.now();
  const timer = setTimeout(() => {
    child.kill('SIGKILL');
  }, declarationMsMax);
  const pieces: Buffer[] = [];
  let bytes = 0;
  child.stdout.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > answerBytesMax) {
      child.kill('SIGKILL');
    } else {
      pieces.push(piece);
    }
  });
  // A child that has just died is told by its end.
  child.stdin.on('error', () => undefined);
  child.stdin.end(expression);
  await ended;
  clearTimeout(timer);
  if (performance.now() - startMs >= declarationMsMax) {
    throw new RuleFailureError('rule-timed-out', `its top level runs longer than ${declarationMsMax} ms`);
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString('utf8')) as DeclarationAnswer;
  } catch (error) {
    throw new RuleFailureError('rule-killed-its-host', 'its top level takes too much memory, or ended its host', {
      cause: error,
    });
  }
}

/** Beside the sources, or beside a bundle. */
function childEntry(): string {
  const source = join(import.meta.dirname, 'declaration-child.ts');
  return existsSync(source) ? source : join(import.meta.dirname, 'sandbox-declaration-child.js');
}
