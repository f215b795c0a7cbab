import { build, type BuildOptions } from 'esbuild';
import { copyFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { repositoryRoot } from './repository.ts';

const common = {
  absWorkingDir: repositoryRoot,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  sourcemap: true,
  // Native code cannot be bundled, nor what reads files beside itself; the image installs these.
  external: ['isolated-vm', '@duckdb/*', 'esbuild', 'typescript'],
  // CommonJS packages inside an ES module still call `require` for Node's own modules, and ask where they are.
  banner: {
    js: [
      "import { createRequire as __createRequire } from 'node:module';",
      'const require = __createRequire(import.meta.url);',
      'const { filename: __filename, dirname: __dirname } = import.meta;',
    ].join(' '),
  },
  logLevel: 'warning',
} satisfies BuildOptions;

interface ChildBundle {
  readonly starter: string;
  readonly entry: string;
  readonly name: string;
  /** A file that it reads when it runs, and what that is called beside the bundle. */
  readonly reads?: { readonly file: string; readonly as: string };
}

/** What a module starts as a process of its own must lie beside any bundle that holds that module. */
const children: readonly ChildBundle[] = [
  { starter: 'libs/sandbox/src/child-program.ts', entry: 'libs/sandbox/src/child.ts', name: 'sandbox-child.js' },
  {
    starter: 'libs/sandbox/src/declaration.ts',
    entry: 'libs/sandbox/src/declaration-child.ts',
    name: 'sandbox-declaration-child.js',
  },
  {
    starter: 'libs/rule-compiler/src/compile-in-child.ts',
    entry: 'libs/rule-compiler/src/compile-child.ts',
    name: 'rule-compile-child.js',
    reads: { file: 'libs/rule-sdk/src/index.ts', as: 'rule-sdk.ts' },
  },
  {
    starter: 'libs/embedded/src/sql/sql-process.ts',
    entry: 'libs/embedded/src/sql/sql-child.ts',
    name: 'sql-child.js',
  },
];

export interface Bundled {
  /** Where all of it lies. */
  readonly folder: string;
  /** The source files, seen from the repository's root, that went into each file. */
  readonly inputs: Readonly<Record<string, readonly string[]>>;
}

/** Bundles one app, `apps/<name>` or a tool, to `<folder>/apps/<name>/main.js`, with what it starts beside it. */
export async function bundleApp(app: string, folder: string): Promise<Bundled> {
  const target = join(folder, 'apps', basename(app));
  const outfile = join(target, 'main.js');
  const { metafile } = await build({
    ...common,
    entryPoints: [join(app, 'src/main.ts')],
    outfile,
    metafile: true,
  });
  const inputs: Record<string, readonly string[]> = { 'main.js': Object.keys(metafile.inputs) };
  for (const { entry, name, reads } of children.filter(({ starter }) => starter in metafile.inputs)) {
    const child = await build({ ...common, entryPoints: [entry], outfile: join(target, name), metafile: true });
    inputs[name] = Object.keys(child.metafile.inputs);
    if (reads !== undefined) {
      await copyFile(join(repositoryRoot, reads.file), join(target, reads.as));
    }
  }
  return { folder: target, inputs };
}
