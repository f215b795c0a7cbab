import { relative, resolve } from 'node:path';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

const root = import.meta.dirname;

/** Which tests to run: by default all but these, which need minutes, a cluster or a real node and run by their own command. */
const suites = ['long', 'cluster', 'node'] as const;

/** The tests of one package: its own folder, and each suite's results as JSON in `dist/tests` for the closing count. */
export function projectTests(folder: string): ViteUserConfig {
  const name = relative(root, folder).replaceAll(/[\\/]/g, '-');
  const suite = suites.find((candidate) => candidate === process.env['METERFLOW_SUITE']);
  return defineConfig({
    root: folder,
    test: {
      include: [suite === undefined ? 'src/**/*.test.ts' : `src/**/*.${suite}.test.ts`],
      exclude: suite === undefined ? suites.map((other) => `**/*.${other}.test.ts`) : [],
      passWithNoTests: true,
      setupFiles: [resolve(root, 'vitest.seed.ts')],
      testTimeout: 20_000,
      hookTimeout: 60_000,
      env: { METERFLOW_SHARED: resolve(root, process.env['METERFLOW_SHARED'] ?? '../shared') },
      reporters: ['default', 'json'],
      outputFile: {
        json: resolve(root, 'dist/tests', `${[name, ...(suite === undefined ? [] : [suite])].join('.')}.json`),
      },
    },
  });
}
