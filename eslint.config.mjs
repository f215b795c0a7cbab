// @ts-check
import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import { defineConfig } from 'eslint/config';
import * as jsonc from 'jsonc-eslint-parser';
import { globSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';
import tseslint from 'typescript-eslint';

// The architecture, as data:  domain  <-  core  <-  adapter  <-  platform  <-  app
// Each layer may use the layers to its left. Nx rejects untagged projects, cycles and imports of apps.
const layers = [
  { sourceTag: 'layer:domain', onlyDependOnLibsWithTags: ['layer:domain'], allowedExternalImports: [] },
  {
    sourceTag: 'layer:core',
    onlyDependOnLibsWithTags: ['layer:domain', 'layer:core'],
    allowedExternalImports: ['zod', '@bufbuild/protobuf', '@bufbuild/protobuf/*'],
  },
  { sourceTag: 'layer:adapter', onlyDependOnLibsWithTags: ['layer:domain', 'layer:core'] },
  // Puts adapters together, so that each app does not.
  { sourceTag: 'layer:platform', onlyDependOnLibsWithTags: ['layer:domain', 'layer:core', 'layer:adapter'] },
  {
    sourceTag: 'layer:app',
    onlyDependOnLibsWithTags: ['layer:domain', 'layer:core', 'layer:adapter', 'layer:platform'],
    // The client of Kubernetes is one app's whole business: below it is held to that one.
    allowedExternalImports: ['zod', 'yaml', 'commander', '@kubernetes/client-node'],
  },
  // Tools measure and break the product, so they see all of it; nothing imports them.
  {
    sourceTag: 'layer:tool',
    onlyDependOnLibsWithTags: ['layer:domain', 'layer:core', 'layer:adapter', 'layer:platform'],
  },
];

// Tests keep the direction of dependencies but may use any declared package.
const layersInTests = layers.map(({ sourceTag, onlyDependOnLibsWithTags }) => ({
  sourceTag,
  onlyDependOnLibsWithTags,
}));

// Each client library has exactly one importer, so that replacing it touches one package. (The benchmark and
// the conformance tests also run DuckDB: as the peer that we are measured against and compared with.)
const importers = {
  '@bufbuild/protobuf': 'libs/contracts',
  '@duckdb/node-api': ['libs/embedded', 'tools/bench', 'tools/conformance'],
  '@kubernetes/client-node': 'apps/job-scaler',
  '@opentelemetry': 'libs/telemetry',
  '@google-cloud/bigquery': 'libs/bigquery',
  '@google-cloud/bigtable': 'libs/bigtable',
  '@google-cloud/pubsub': 'libs/pubsub',
  'apache-arrow': 'libs/embedded',
  esbuild: ['libs/rule-compiler', 'tools/workspace'],
  fastify: 'libs/http',
  ioredis: 'libs/redis',
  'isolated-vm': 'libs/sandbox',
  pino: 'libs/telemetry',
  typescript: 'libs/rule-compiler',
  yaml: ['apps/ingest', 'apps/meterflow', 'tools/conformance', 'tools/kubernetes', 'tools/simulator'],
};

const packageFolders = globSync('{apps,libs,tools}/*/package.json', { cwd: import.meta.dirname }).map((file) => ({
  folder: dirname(file).replaceAll('\\', '/'),
  tags: JSON.parse(readFileSync(join(import.meta.dirname, file), 'utf8')).nx?.tags ?? [],
}));

const boundaries = (depConstraints, allow = []) => [
  'error',
  { depConstraints, allow, banTransitiveDependencies: true },
];
// Apps are imported by nobody, but for their stages, which tools take apart to break them.
const stagesOfApps = packageFolders
  .filter(({ tags }) => tags.includes('layer:app'))
  .map(({ folder }) => `@meterflow/${folder.split('/').at(-1)}/stage`);

const escaped = (text) => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
const testSupport = { regex: '^@meterflow/[^/]+/testing$', message: 'Test support belongs in tests.' };
// Adapters in memory and simulated time, without the test runner: for tests, and for tools that simulate.
const simulation = { regex: '^@meterflow/[^/]+/(memory|simulation)$', message: 'Only tests and tools simulate.' };
const nodeBuiltins = { regex: `^(node:|(${builtinModules.map(escaped).join('|')})$)`, message: 'Domain code is pure.' };
// A stage reaches the world through ports alone, so that a test can end it at every side effect: what does I/O is an adapter.
const ioBuiltins = [
  ...[
    'child_process',
    'cluster',
    'dgram',
    'dns',
    'fs',
    'http',
    'http2',
    'https',
    'inspector',
    'net',
    'readline',
    'repl',
  ],
  ...['sqlite', 'tls', 'wasi', 'worker_threads'],
];
const ioModules = {
  regex: `^(node:)?(${ioBuiltins.join('|')})(/|$)`,
  message: 'I/O belongs in an adapter, behind a port.',
};
/** Core packages that are there to do I/O. */
const ioCore = ['libs/emulators'];
const foreignClients = (folder) =>
  Object.entries(importers)
    .filter(([, importer]) => ![importer].flat().includes(folder))
    .map(([client, importer]) => ({
      regex: `^${escaped(client)}(/|$)`,
      message: `Only ${[importer].flat().join(' and ')} imports ${client}.`,
    }));

const exportAll = {
  selector: 'ExportAllDeclaration',
  message: 'Name each export: the index file is the public interface.',
};
// What a pure function may not reach for: the clock, randomness, the outside, and the machine's own time zone or locale.
const impureGlobals = [
  'process',
  'global',
  'globalThis',
  'performance',
  'crypto',
  'fetch',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'require',
];
const impureProperties = [
  { object: 'Date', property: 'now', message: 'Take time as an argument.' },
  { object: 'Math', property: 'random', message: 'Take randomness as an argument.' },
  { object: 'performance', property: 'now', message: 'Take time as an argument.' },
];
const impureSyntax = [
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Take time as an argument.' },
  { selector: "CallExpression[callee.name='Date']", message: 'Take time as an argument.' },
  {
    selector: 'CallExpression[callee.property.name=/^get(FullYear|Month|Date|Day|Hours|Minutes|TimezoneOffset)$/]',
    message: "This reads the machine's time zone: use UTC or a named zone.",
  },
  {
    selector: 'CallExpression[callee.property.name=/^toLocale/]',
    message: "This reads the machine's locale: results must not depend on it.",
  },
];

const restrictedImports = (patterns) => ({ 'no-restricted-imports': ['error', { patterns }] });
const perPackage = packageFolders.flatMap(({ folder, tags }) => {
  const pure = tags.includes('layer:domain');
  const isTool = tags.includes('layer:tool');
  const doesIo = !tags.includes('layer:core') || ioCore.includes(folder);
  const patterns = [
    testSupport,
    ...foreignClients(folder),
    ...(pure ? [nodeBuiltins] : []),
    ...(isTool ? [] : [simulation]),
  ];
  return [
    {
      files: [`${folder}/**/*.ts`],
      rules: {
        ...restrictedImports(patterns),
        ...(isTool && { '@nx/enforce-module-boundaries': boundaries(layers, stagesOfApps) }),
        ...(pure && {
          'no-restricted-globals': ['error', ...impureGlobals],
          'no-restricted-properties': ['error', ...impureProperties],
          'no-restricted-syntax': ['error', exportAll, ...impureSyntax],
        }),
      },
    },
    // Not its scripts and benchmarks, which no process of the product runs.
    ...(doesIo ? [] : [{ files: [`${folder}/src/**/*.ts`], rules: restrictedImports([...patterns, ioModules]) }]),
  ];
});

export default defineConfig(
  { ignores: ['**/dist/**', '**/tmp/**', '**/*.mjs', '**/vitest.config.ts', '**/src/gen/**', 'tools/attack/rules/**'] },
  {
    files: ['**/*.ts'],
    extends: [js.configs.recommended, tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    plugins: { '@nx': nx },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@nx/enforce-module-boundaries': boundaries(layers),
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' }],
      // A column read within its bounds is `column[i] as number`: `!` hides what is claimed, and strict forbids it.
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      'no-restricted-exports': [
        'error',
        {
          restrictDefaultExports: {
            direct: true,
            named: true,
            defaultFrom: true,
            namedFrom: true,
            namespaceFrom: true,
          },
        },
      ],
      'no-restricted-syntax': ['error', exportAll],
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
      'max-params': ['error', 3],
      complexity: ['error', 12],
      curly: ['error', 'all'],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
    },
  },
  ...perPackage,
  {
    files: ['**/*.test.ts', '**/testing/**/*.ts'],
    rules: {
      '@nx/enforce-module-boundaries': boundaries(layersInTests),
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-restricted-imports': 'off',
      'no-restricted-globals': 'off',
      'no-restricted-properties': 'off',
      'no-restricted-syntax': ['error', exportAll],
      'max-lines-per-function': 'off',
    },
  },
  // Written as a customer writes them: a rule, and its cases, are what a file exports by default.
  { files: ['libs/rules/stock/*.ts'], rules: { 'no-restricted-exports': 'off' } },
  // Called for every reading: the columns and the row come apart, since an object for the two would be made each time.
  { files: ['libs/readings/src/{decimal,version}.ts'], rules: { 'max-params': ['error', 4] } },
  // Commands talk to a person, through one function each.
  { files: ['apps/meterflow/src/print.ts', 'tools/*/src/print.ts'], rules: { 'no-console': 'off' } },
  {
    files: ['{apps,libs,tools}/*/package.json'],
    languageOptions: { parser: jsonc },
    plugins: { '@nx': nx },
    rules: {
      // What a package imports, it declares.
      '@nx/dependency-checks': [
        'error',
        {
          buildTargets: ['lint'],
          checkObsoleteDependencies: false,
          checkVersionMismatches: true,
          ignoredFiles: [
            '{projectRoot}/**/*.test.ts',
            '{projectRoot}/src/testing/**',
            '{projectRoot}/vitest.config.ts',
          ],
        },
      ],
    },
  },
  prettier,
);
