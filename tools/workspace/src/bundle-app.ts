import { build, type BuildOptions } from 'esbuild';
import { basename, join } from 'node:path';
import { repositoryRoot } from './repository.ts';

const common = {
  absWorkingDir: repositoryRoot,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  sourcemap: true,
  // Native code cannot be bundled; the image installs these.
  external: ['isolated-vm', '@duckdb/*'],
  // CommonJS packages inside an ES module still call `require` for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
} satisfies BuildOptions;

/** The sandbox starts this as a process of its own: it must lie beside any bundle that holds the module which starts it. */
const sandboxChild = 'libs/sandbox/src/child.ts';
const sandboxChildStarter = 'libs/sandbox/src/child-program.ts';

/** Bundles one app, `apps/<name>`, to `<folder>/apps/<name>/main.js`, with what it starts beside it. Returns that file. */
export async function bundleApp(app: string, folder: string): Promise<string> {
  const target = join(folder, 'apps', basename(app));
  const outfile = join(target, 'main.js');
  const { metafile } = await build({
    ...common,
    entryPoints: [join(app, 'src/main.ts')],
    outfile,
    metafile: true,
  });
  if (sandboxChildStarter in metafile.inputs) {
    await build({ ...common, entryPoints: [sandboxChild], outfile: join(target, 'sandbox-child.js') });
  }
  return outfile;
}
