// Bundles one app to a single file, for container images: `node bundle.ts apps/<app>` writes dist/apps/<app>/main.js.
import { build } from 'esbuild';
import { join } from 'node:path';
import { repositoryRoot } from './repository.ts';

const [app] = process.argv.slice(2);
if (app === undefined || !/^apps\/[a-z-]+$/.test(app)) {
  throw new Error('usage: bundle.ts apps/<app>');
}

await build({
  absWorkingDir: repositoryRoot,
  entryPoints: [join(app, 'src/main.ts')],
  outfile: join('dist', app, 'main.js'),
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
});
