import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

/** The root folder of the repository. */
export const repositoryRoot = resolve(import.meta.dirname, '../../..');

/** The script behind a command of an installed package, to be run by Node itself: shims differ by platform and by Node. */
export function commandScript(packageName: string, command = packageName): string {
  const manifest = createRequire(import.meta.url).resolve(`${packageName}/package.json`);
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin: string | Record<string, string> };
  const script = typeof bin === 'string' ? bin : bin[command];
  if (script === undefined) {
    throw new Error(`${packageName} has no command ${command}`);
  }
  return join(dirname(manifest), script);
}
