import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startCommand } from '../testing/run-command.ts';
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
    await expect(command('rules', 'init', join(folder, 'high-use.ts'))).rejects.toMatchObject({ code: 'not-written' });
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

  test('in another encoding is refused by the name of its file', async () => {
    await command('rules', 'init', folder);
    writeFileSync(join(folder, 'other.ts'), Buffer.from('// Zählerstand', 'latin1'));
    await expect(readProject(folder)).rejects.toThrow(/^other\.ts is not UTF-8: save it/);
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

describe('rules dev', () => {
  test('checks, tests and tries the rules on real readings, once', { timeout: 30_000 }, async () => {
    await command('rules', 'init', folder);
    const shown = await command('rules', 'dev', folder, '--once', '--parameters', 'limitKwh=1,cut=true');
    expect(shown).toContain('2 of 2 tests pass');
    expect(shown).toMatch(/high-use on samples\/london-households\.csv: \d+ of \d+ readings otherwise\nmeter/);
    expect(shown).toMatch(/MAC\S+ +import +\S+ +[1-9]\S* kWh +1 kWh +substituted +high-use/);
    edit('high-use.ts', 'annotate', 'anotate');
    await expect(command('rules', 'dev', folder, '--once')).rejects.toThrow(/^high-use\.ts:15:13: Property 'anotate'/);
    writeFileSync(join(folder, 'empty.csv'), 'meter_id,channel,start,value,unit\n');
    const none = command('rules', 'dev', folder, '--once', '--readings', join(folder, 'empty.csv'));
    await expect(none).rejects.toMatchObject({ code: 'sample-invalid' });
  });

  test('looks again when a file is saved, and ends cleanly by Ctrl-C', { timeout: 60_000 }, async () => {
    await command('rules', 'init', folder);
    const child = startCommand(['rules', 'dev', folder]);
    const ended = once(child, 'close');
    let shown = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (shown += text));
    const until = (text: string): Promise<void> =>
      vi.waitFor(() => {
        expect(shown).toContain(text);
      }, 20_000);
    await until('2 of 2 tests pass');
    edit('high-use.ts', 'annotate', 'anotate');
    await until("Property 'anotate' does not exist");
    child.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
  });
});

test.each([['limit'], ['{"limit"']])('parameters %s are refused with how they are written', async (parameters) => {
  const words = ['rules', 'activate', 'x', '--from', '2024-01-01', '--parameters', parameters];
  await expect(command(...words)).rejects.toThrow('--parameters');
});
