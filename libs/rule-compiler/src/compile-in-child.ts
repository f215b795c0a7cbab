import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CompileAnswer, CompileRequest } from './compile-request.ts';
import { bundledLinesBefore } from '@meterflow/rules';
import { childArguments } from './child-arguments.ts';
import { answerBytesMax, compileMsMax, compileResidentBytesMax } from './limits.ts';
import type { RuleProject } from './project.ts';
import { sdkSource } from './sdk-source.ts';

/** Bounds of one compilation. */
export interface CompileLimits {
  readonly msMax: number;
  readonly residentBytesMax: number;
}

export const compileLimits: CompileLimits = { msMax: compileMsMax, residentBytesMax: compileResidentBytesMax };

const lookEveryMs = 50;

/** Compiles in a process of its own, which is ended when it takes too long or too much. Rejects only where it can't start. */
export async function compileInChild(
  { files, entries }: RuleProject,
  limits: CompileLimits = compileLimits,
): Promise<CompileAnswer> {
  const child = spawn(process.execPath, childArguments(childEntry()), {
    cwd: '/',
    env: { TZ: 'UTC' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const startMs = performance.now();
  const timer = setInterval(
    () => {
      const late = performance.now() - startMs >= limits.msMax;
      if (late || residentBytes(child.pid) > limits.residentBytesMax) {
        child.kill('SIGKILL');
      }
    },
    Math.min(lookEveryMs, limits.msMax),
  );
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
  const request: CompileRequest = { files: [...files], entries, sdk: sdkSource(), linesBefore: bundledLinesBefore };
  child.stdin.end(JSON.stringify(request));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve);
    child.once('error', reject);
  }).finally(() => {
    clearInterval(timer);
  });
  if (code === 0) {
    return JSON.parse(Buffer.concat(pieces).toString('utf8')) as CompileAnswer;
  }
  if (code === 1) {
    throw new Error(`the compiler failed: ${told}`);
  }
  const message =
    performance.now() - startMs >= limits.msMax
      ? `checking it takes longer than ${limits.msMax} ms: simplify its types`
      : 'checking it takes too much memory: simplify its types, or cut it down';
  return { problems: [{ file: '', line: 0, column: 0, message }] };
}

/** Beside the sources, or beside a bundle. */
function childEntry(): string {
  const source = join(import.meta.dirname, 'compile-child.ts');
  return existsSync(source) ? source : join(import.meta.dirname, 'rule-compile-child.js');
}

// The page size is 4,096 on every Linux that Node is built for (arm64 pages of 64 KiB read low).
const pageBytes = 4_096;

/** 0 where the machine does not tell: then the bound on the heap alone holds. */
function residentBytes(pid: number | undefined): number {
  try {
    return Number(readFileSync(`/proc/${pid ?? 0}/statm`, 'latin1').split(' ')[1]) * pageBytes;
  } catch {
    return 0;
  }
}
