import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CompileAnswer } from './compile-request.ts';
import { answerBytesMax, compileHeapMiBMax, compileMsMax } from './limits.ts';
import type { RuleProject } from './project.ts';

/** Compiles in a process of its own, which is ended when it takes too long or too much. Rejects only where it can't start. */
export async function compileInChild({ files, entries }: RuleProject): Promise<CompileAnswer> {
  const child = spawn(process.execPath, [`--max-old-space-size=${compileHeapMiBMax}`, '--no-warnings', childEntry()], {
    cwd: '/',
    env: { TZ: 'UTC' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const startMs = performance.now();
  const timer = setTimeout(() => {
    child.kill('SIGKILL');
  }, compileMsMax);
  const pieces: Buffer[] = [];
  let bytes = 0;
  child.stdout.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes <= answerBytesMax) {
      pieces.push(piece);
    } else {
      child.kill('SIGKILL');
    }
  });
  let told = '';
  child.stderr.on('data', (piece: Buffer) => {
    told = (told + piece.toString('utf8')).slice(-2_000);
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(JSON.stringify({ files: [...files], entries }));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve);
    child.once('error', reject);
  }).finally(() => {
    clearTimeout(timer);
  });
  if (code === 0) {
    return JSON.parse(Buffer.concat(pieces).toString('utf8')) as CompileAnswer;
  }
  if (code === 1) {
    throw new Error(`the compiler failed: ${told}`);
  }
  const message =
    performance.now() - startMs >= compileMsMax
      ? `checking it takes longer than ${compileMsMax} ms: simplify its types`
      : 'checking it takes too much memory: simplify its types, or cut it down';
  return { problems: [{ file: '', line: 0, column: 0, message }] };
}

/** Beside the sources, or beside a bundle. */
function childEntry(): string {
  const source = join(import.meta.dirname, 'compile-child.ts');
  return existsSync(source) ? source : join(import.meta.dirname, 'rule-compile-child.js');
}
