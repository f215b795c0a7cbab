import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const buf = createRequire(import.meta.url).resolve('@bufbuild/buf/bin/buf');
export const contractsFolder = resolve(import.meta.dirname, '../..');

/** Runs buf, which carries Go's own protobuf decoder and is installed with the other tools; throws when it fails. */
export function runBuf(args: readonly string[], stdin?: Uint8Array | string, env: Record<string, string> = {}): Buffer {
  return execFileSync(process.execPath, [buf, ...args], {
    cwd: contractsFolder,
    env: { ...process.env, ...env },
    input: stdin ?? '',
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}
