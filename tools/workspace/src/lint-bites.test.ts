import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandScript, repositoryRoot } from './repository.ts';

// A rule that no longer bites looks exactly like clean code. So violations are planted in a scratch copy of the workspace
// (the real configuration and manifests, empty sources), and lint runs there through Nx: without Nx's project graph the
// boundary rule skips itself in silence.

interface Message {
  readonly ruleId: string | null;
  readonly message: string;
  readonly line: number;
}

const domain = packagesTagged('layer:domain');
const impurities: readonly (readonly [code: string, ruleId: string])[] = [
  ['export const a = Date.now();', 'no-restricted-properties'],
  ['export const b = Math.random();', 'no-restricted-properties'],
  ['export const c = new Date();', 'no-restricted-syntax'],
  ['export const d = performance.now();', 'no-restricted-globals'],
  ['export const e = process.pid;', 'no-restricted-globals'],
  ['export const f = setTimeout(String, 1);', 'no-restricted-globals'],
  ['export const g = fetch;', 'no-restricted-globals'],
  ["export { readFileSync } from 'node:fs';", 'no-restricted-imports'],
  ["export { tmpdir } from 'os';", 'no-restricted-imports'],
  ['export const h = globalThis.Date;', 'no-restricted-globals'],
  ['export const i = new Date(0).getHours();', 'no-restricted-syntax'],
  ["export { z } from 'zod';", '@nx/enforce-module-boundaries'],
  ["export { planted } from '@meterflow/embedded';", '@nx/enforce-module-boundaries'],
];
const boundary = '@nx/enforce-module-boundaries';
/** What else is planted, one line a violation: the file, the line and the rule that must reject it. */
const forbiddenImports: readonly (readonly [folder: string, code: string, ruleId: string])[] = [
  ['libs/stage', "export { planted } from '@meterflow/embedded';", boundary],
  ['libs/http', "export { planted } from '@meterflow/telemetry';", boundary],
  ['libs/telemetry', "export { planted } from '@meterflow/ingest';", boundary],
  ['apps/control', "export { planted } from '@meterflow/persistence';", boundary],
  ['libs/dedupe', "export { Isolate } from 'isolated-vm';", 'no-restricted-imports'],
  ['libs/receipts', "export { planted } from '@meterflow/stage/testing';", 'no-restricted-imports'],
  ['libs/pubsub', "export { planted } from '@meterflow/stage/simulation';", 'no-restricted-imports'],
  ['apps/ingest', "export { planted } from '@meterflow/persistence/stage';", boundary],
  ['tools/crash', "export { planted } from '@meterflow/persistence';", boundary],
];
/** What does I/O, planted in a core package: the world is reached through ports alone. */
const ioModules = ['node:fs', 'fs/promises', 'node:net', 'node:http', 'node:child_process', 'node:sqlite', 'node:dns'];
const withoutIo = 'libs/registry';
/** The same in packages that are there to do it. */
const withIo = ['libs/emulators', 'libs/embedded', 'tools/crash-points'];
const clean = 'libs/formats';

let scratch = '';
let reports: Readonly<Record<string, readonly Message[]>> = {};

beforeAll(async () => {
  scratch = scratchWorkspace();
  for (const folder of domain) {
    plant(folder, impurities.map(([code]) => code).join('\n'));
  }
  for (const [folder, code] of forbiddenImports) {
    plant(folder, code);
  }
  const ioCode = ioModules.map((name) => `import '${name}';`).join('\n');
  [withoutIo, ...withIo].forEach((folder) => {
    plant(folder, ioCode);
  });
  plant(clean, 'export const planted = Date.now();');
  const folders = [...domain, ...forbiddenImports.map(([folder]) => folder), withoutIo, ...withIo, clean];
  await lint(folders);
  reports = Object.fromEntries(folders.map((folder) => [folder, messagesOf(folder)]));
}, 240_000);
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
});

test('there are domain packages to keep pure', () => {
  expect(domain).toEqual(expect.arrayContaining(['libs/aggregates', 'libs/readings', 'libs/rules']));
});

describe.each(domain)('lint in %s', (folder) => {
  test.each(impurities.map(([code, ruleId], index) => [code, ruleId, index + 1] as const))(
    'rejects %s',
    (_, ruleId, line) => {
      expect(reports[folder]!.filter((message) => message.line === line).map((message) => message.ruleId)).toContain(
        ruleId,
      );
    },
  );
});

describe('lint of imports', () => {
  test.each(forbiddenImports)('in %s rejects %s', (folder, _, ruleId) => {
    expect(reports[folder]!.map((message) => message.ruleId)).toContain(ruleId);
  });

  test.each(ioModules.map((name, index) => [name, index + 1] as const))('in core rejects %s', (_, line) => {
    const found = reports[withoutIo]!.filter((message) => message.line === line);
    expect(found.map((message) => message.ruleId)).toContain('no-restricted-imports');
  });

  test.each(withIo)('lets %s do I/O', (folder) => {
    expect(reports[folder]!.map((message) => message.ruleId)).not.toContain('no-restricted-imports');
  });

  test('says nothing where nothing is wrong: outside the domain a clock may be read', () => {
    expect(reports[clean]).toEqual([]);
  });
});

function packagesTagged(tag: string): readonly string[] {
  return globSync('{apps,libs,tools}/*/package.json', { cwd: repositoryRoot })
    .filter((file) => manifestOf(file).nx?.tags?.includes(tag))
    .map((file) => dirname(file).replaceAll('\\', '/'))
    .toSorted();
}

function manifestOf(file: string): { readonly name: string; readonly nx?: { readonly tags?: readonly string[] } } {
  return JSON.parse(readFileSync(join(repositoryRoot, file), 'utf8')) as ReturnType<typeof manifestOf>;
}

/** The configuration and the manifests of this workspace, with one exported name as the source of each package. */
function scratchWorkspace(): string {
  const root = mkdtempSync(join(tmpdir(), 'lint-bites-'));
  const configuration = ['package.json', 'package-lock.json', 'nx.json', 'tsconfig.base.json', 'eslint.config.mjs'];
  const perPackage = globSync('{apps,libs,tools}/*/{package,tsconfig}.json', { cwd: repositoryRoot });
  for (const file of [...configuration, ...perPackage]) {
    cpSync(join(repositoryRoot, file), join(root, file));
  }
  mkdirSync(join(root, 'node_modules/@meterflow'), { recursive: true });
  for (const name of globSync(['*', '.package-lock.json', '.bin'], { cwd: join(repositoryRoot, 'node_modules') })) {
    if (name !== '@meterflow') {
      symlinkSync(join(repositoryRoot, 'node_modules', name), join(root, 'node_modules', name));
    }
  }
  for (const folder of perPackage.filter((file) => file.endsWith('package.json')).map((file) => dirname(file))) {
    const { name } = manifestOf(join(folder, 'package.json'));
    mkdirSync(join(root, folder, 'src/testing'), { recursive: true });
    for (const file of ['index.ts', 'main.ts', 'testing/index.ts']) {
      writeFileSync(join(root, folder, 'src', file), 'export const planted = 1;\n');
    }
    if (name.startsWith('@')) {
      symlinkSync(join(root, folder), join(root, 'node_modules', name));
    }
  }
  return root;
}

function plant(folder: string, code: string): void {
  writeFileSync(join(scratch, folder, 'src/planted.ts'), `${code}\n`);
}

/** Lints packages through Nx; each leaves its messages as JSON in its own folder. */
async function lint(folders: readonly string[]): Promise<void> {
  const names = folders.map((folder) => manifestOf(join(folder, 'package.json')).name);
  // The outer Nx that runs this test must not reach into the inner one.
  const outer = Object.entries(process.env).filter(([name]) => !/^(NX_|VITEST|NODE_OPTIONS$)/.test(name));
  const child = spawn(
    process.execPath,
    [
      commandScript('nx'),
      'run-many',
      '-t',
      'lint',
      '-p',
      names.join(','),
      '--parallel=2',
      '--skip-nx-cache',
      '--',
      '--format=json',
      '--output-file=lint.json',
    ],
    { cwd: scratch, env: { ...Object.fromEntries(outer), NX_DAEMON: 'false' }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  expect(code, `lint must fail where violations are planted:\n${Buffer.concat(output).toString()}`).toBe(1);
}

function messagesOf(folder: string): readonly Message[] {
  const files = JSON.parse(readFileSync(join(scratch, folder, 'lint.json'), 'utf8')) as {
    readonly filePath: string;
    readonly messages: readonly Message[];
  }[];
  return files.filter((file) => file.filePath.endsWith('planted.ts')).flatMap((file) => file.messages);
}
