import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const source = `
  import { parseOptions, print, wholeNumber } from ${JSON.stringify(new URL('index.ts', import.meta.url).href)};
  const { values } = parseOptions('usage of it', { options: { times: { type: 'string', default: '3' } } });
  print('times ' + wholeNumber('times', values.times));
`;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'command-line-'));
  writeFileSync(join(folder, 'tool.mjs'), source);
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function called(...words: readonly string[]): {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
} {
  const node = [join(folder, 'tool.mjs'), ...words];
  const { status, stdout, stderr } = spawnSync(process.execPath, node, { encoding: 'utf8', timeout: 60_000 });
  return { code: status, out: stdout, err: stderr };
}

describe('the options of a tool', () => {
  it('are what it was called with, or their defaults', () => {
    expect(called('--times', '12')).toEqual({ code: 0, out: 'times 12\n', err: '' });
    expect(called()).toEqual({ code: 0, out: 'times 3\n', err: '' });
  });

  it('show the usage for --help, beside whatever else is there', () => {
    expect(called('--bogus', '--help')).toEqual({ code: 0, out: 'usage of it\n', err: '' });
  });

  it.each([
    [['--bogus'], "'--bogus'"],
    [['--times', '-1'], "'--times' argument is ambiguous"],
    [['--times', '1.5'], '--times is a whole number from 1 on, not "1.5"'],
    [['--times', 'abc'], 'not "abc"'],
    [['--times', '0'], 'not "0"'],
    [['--times='], 'not ""'],
    [['stray'], "'stray'"],
  ])('end with 2 and a line that says what is wrong with %s', (words, problem) => {
    const { code, out, err } = called(...words);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(problem);
    expect(err).not.toContain('    at ');
  });
});
