import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { compileHeapMiBMax } from './limits.ts';

/** What the child is made of beside its own folder: it loads no library of ours, whose own imports nobody would list here. */
const packages = ['typescript', 'esbuild', '@esbuild'];

/**
 * How Node starts the child: with a bounded heap, and without the right to write, to load addons, to start workers, or to
 * read anything but the compilers themselves. It may start one thing: the bundler is a program of its own.
 */
export function childArguments(entry: string): string[] {
  const readable = readableFolders(entry).map((folder) => `--allow-fs-read=${folder}`);
  const heap = `--max-old-space-size=${compileHeapMiBMax}`;
  return [heap, '--no-warnings', '--permission', '--allow-child-process', ...readable, entry];
}

function readableFolders(entry: string): string[] {
  const { resolve } = createRequire(import.meta.url);
  // A package is looked for in one folder after the other, and where node_modules holds links, read from where they lead.
  const candidates = packages.flatMap((name) => (resolve.paths(name) ?? []).map((modules) => join(modules, name)));
  const found = candidates.filter((path) => existsSync(path));
  const folders = [
    dirname(realpathSync(entry)),
    import.meta.dirname,
    ...found,
    ...found.map((path) => realpathSync(path)),
  ];
  return [...new Set([...folders, ...candidates.map((path) => `${path}/*`)])];
}
