import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'lay-out-test-'));
const persistence = join(folder, 'persistence');
const sandbox = join(folder, 'sandbox');

interface Bill {
  readonly components: readonly { readonly name: string; readonly version: string }[];
}

beforeAll(() => {
  for (const service of ['persistence', 'sandbox']) {
    execFileSync(process.execPath, [join(import.meta.dirname, 'lay-out.ts'), service, join(folder, service)]);
  }
}, 120_000);
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function filesOf(service: string): readonly string[] {
  return globSync('**/*', { cwd: service, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function billOf(service: string): readonly string[] {
  const bill = JSON.parse(readFileSync(join(service, 'sbom.cdx.json'), 'utf8')) as Bill;
  return bill.components.map(({ name }) => name);
}

test('an image holds neither our sources nor maps of them', () => {
  const files = [...filesOf(persistence), ...filesOf(sandbox)].filter((file) => !file.includes('node_modules'));
  expect(files.filter((file) => /\.(ts|map)$/.test(file))).toEqual([]);
  expect(files.filter((file) => file.endsWith('sql-child.js'))).toEqual([]);
});

test('what speaks with Bigtable finds the definitions that its client reads, outside of any node_modules of ours', () => {
  const found = createRequire(join(persistence, 'main.js')).resolve('@google-cloud/bigtable-api');
  expect(found.startsWith(folder)).toBe(true);
  for (const file of ['protos.json', 'google/bigtable/v2/response_params.proto']) {
    expect(existsSync(join(dirname(found), '../protos', file))).toBe(true);
  }
});

test('the bill names what was bundled and what lies beside it, and nothing of ours', () => {
  expect(billOf(persistence)).toEqual(expect.arrayContaining(['node', '@google-cloud/bigtable', 'ioredis']));
  expect(billOf(sandbox)).toEqual(expect.arrayContaining(['node', 'isolated-vm', 'node-gyp-build', 'zod']));
  expect(billOf(sandbox)).not.toContain('ioredis');
  expect(billOf(persistence).filter((name) => name.startsWith('@meterflow/'))).toEqual([]);
});
