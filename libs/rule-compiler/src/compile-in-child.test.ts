import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { childArguments } from './child-arguments.ts';
import { compileInChild, compileLimits } from './compile-in-child.ts';

const source = `import { defineRule } from '@meterflow/rule-sdk';
export default defineRule({ name: 'a', onReading() {} });
`;
const project = { files: new Map([['a.ts', source]]), entries: ['a.ts'] };

test.each([
  ['longer than it may', { msMax: 60 }, 'takes longer than 60 ms'],
  ['more memory than it may', { residentBytesMax: 8 * 1024 * 1024 }, 'takes too much memory'],
])('a compilation that takes %s is ended, and says what to do', async (_, limits, told) => {
  const answer = await compileInChild(project, { ...compileLimits, ...limits });
  expect(answer).toMatchObject({ problems: [{ message: expect.stringContaining(told) as string }] });
});

test('the process that compiles compiles, but can neither read nor write files of the machine', async () => {
  expect(await compileInChild(project)).toMatchObject({ modules: [{ file: 'a.ts' }] });
  const folder = mkdtempSync(join(tmpdir(), 'meterflow-compile-'));
  const entry = join(folder, 'child.mjs');
  writeFileSync(
    entry,
    `import fs from 'node:fs';
const tried = (work) => { try { work(); return 'done'; } catch (error) { return error.code; } };
console.log(tried(() => fs.readFileSync('/etc/passwd')), tried(() => fs.writeFileSync('${join(folder, 'x')}', '')));`,
  );
  const { stdout } = spawnSync(process.execPath, childArguments(entry), { encoding: 'utf8' });
  expect(stdout.trim()).toBe('ERR_ACCESS_DENIED ERR_ACCESS_DENIED');
  rmSync(folder, { recursive: true });
});
