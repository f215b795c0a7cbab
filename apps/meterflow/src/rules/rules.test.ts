import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { commandIn, newDataDir } from '../testing/test-server.ts';
import { readProject } from './read-project.ts';

let place: ReturnType<typeof newDataDir>;
let folder: string;
beforeEach(() => {
  place = newDataDir();
  folder = join(dirname(place.dataDir), 'my-rules');
});
afterEach(() => {
  place.remove();
});
const command = (...words: string[]): Promise<string> => commandIn(place.dataDir, words);
const edit = (file: string, from: string, to: string): void => {
  const path = join(folder, file);
  writeFileSync(path, readFileSync(path, 'utf8').replace(from, to));
};

describe('a folder of rules', () => {
  test('begins with an example whose tests pass, and is written over by nothing', { timeout: 30_000 }, async () => {
    expect(await command('rules', 'init', folder)).toContain('high-use.ts');
    expect(await command('rules', 'test', folder)).toMatch(/high-use\.ts: rule high-use, version [0-9a-f]{12}\n {2}ok/);
    await expect(command('rules', 'init', folder)).rejects.toMatchObject({ code: 'file-exists' });
    edit('high-use.test.ts', "value: 7.5, quality: 'measured'", 'value: 7');
    await expect(command('rules', 'test', folder)).rejects.toMatchObject({ code: 'tests-failed' });
    edit('high-use.ts', 'annotate', 'anotate');
    await expect(command('rules', 'test', folder)).rejects.toThrow(/^high-use\.ts:15:13: Property 'anotate'/);
  });

  test('is read without links and packages; one rule of it with its test', async () => {
    await command('rules', 'init', folder);
    writeFileSync(join(folder, 'other.ts'), '');
    symlinkSync('/etc/passwd', join(folder, 'linked.ts'));
    mkdirSync(join(folder, 'node_modules'));
    writeFileSync(join(folder, 'node_modules/package.ts'), '');
    const { files, entries } = await readProject(folder);
    expect([...files.keys()].sort()).toEqual(['high-use.test.ts', 'high-use.ts', 'other.ts', 'sdk/rule-sdk.ts']);
    expect(entries).toEqual(['high-use.test.ts', 'high-use.ts', 'other.ts']);
    expect((await readProject(join(folder, 'high-use.ts'))).entries).toEqual(['high-use.test.ts', 'high-use.ts']);
  });

  test('with 50 MB in a file is refused before it is read, and one that is not there too', async () => {
    await command('rules', 'init', folder);
    writeFileSync(join(folder, 'large.ts'), Buffer.alloc(50_000_000, ' '));
    await expect(command('rules', 'upload', folder)).rejects.toThrow(
      'large.ts has 50000000 bytes; 262144 are the most',
    );
    rmSync(folder, { recursive: true });
    await expect(command('rules', 'upload', folder)).rejects.toThrow('there is no file or folder');
  });
});

test.each([['limit'], ['{"limit"']])('parameters %s are refused with how they are written', async (parameters) => {
  const words = ['rules', 'activate', 'x', '--from', '2024-01-01', '--parameters', parameters];
  await expect(command(...words)).rejects.toThrow('--parameters');
});
