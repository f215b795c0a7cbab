import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FatalError } from '@meterflow/stage';
import { CommanderError, type Command } from 'commander';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CommandError, processOutput } from './cli-context.ts';
import { RefusedError } from './client/local-client.ts';
import { instant, interval, port, setting, wholeNumber } from './command-line/arguments.ts';
import { importableFiles } from './commands/importable-files.ts';
import { buildProgram } from './program.ts';
import { reportError } from './report-error.ts';

/** Commands that do something, with the words before them. */
function leaves(command: Command, path = ''): [string, Command][] {
  const name = `${path} ${command.name()}`.trim();
  return command.commands.length === 0
    ? [[name, command]]
    : command.commands.filter((each) => each.name() !== 'help').flatMap((each) => leaves(each, name));
}

const commands = leaves(buildProgram(processOutput));

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (piece) => (text += piece) }).outputHelp();
  return text;
}

test.each(commands)('%s has help: what it does, every option explained, an example', (name, command) => {
  const help = helpOf(command);
  expect(command.description()).not.toBe('');
  expect(help).toMatch(new RegExp(`Examples?:\\n {2}${name}( |\\n|$)`));
  for (const option of command.options) {
    expect(option.description, option.flags).not.toBe('');
  }
});

test.each(commands)('the example of %s is a command line that parses', async (name, command) => {
  const examples = helpOf(command)
    .split('\n')
    .filter((line) => line.startsWith(`  ${name}`));
  expect(examples.length).toBeGreaterThan(0);
  for (const example of examples) {
    const words = [...example.replace(/ > .*/, '').matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);
    const program = buildProgram(processOutput);
    const parsed: string[] = [];
    leaves(program).forEach(([each, leaf]) => leaf.action(() => void parsed.push(each)));
    await program.parseAsync(words.slice(1), { from: 'user' });
    expect(parsed).toEqual([name]);
  }
});

describe('arguments', () => {
  test.each(['2013-03-04', '2013-03-04T00:00Z', '2013-03-04T00:00:00.5+01:00', '2024-02-29'])(
    '%s is an instant',
    (text) => {
      expect(instant(text)).toBe(text);
    },
  );

  test.each(['2013', '2013-02-30', '2023-02-29', '2013-03-04T00:00', '04.03.2013', '', '2013-13-01'])(
    '"%s" is none',
    (text) => {
      expect(() => instant(text)).toThrow(/must be an instant like/);
    },
  );

  test('lengths have a unit, and "default" takes back', () => {
    expect(['900s', '15m', '1h', '1d', 'default'].map(interval)).toEqual([
      900_000,
      900_000,
      3_600_000,
      86_400_000,
      null,
    ]);
    for (const text of ['15', 'm', '0m', '-1m', '1.5h', '1w', '']) {
      expect(() => interval(text)).toThrow(/like 15m/);
    }
    expect(['kWh', 'default'].map(setting)).toEqual(['kWh', null]);
  });

  test('ports and numbers are whole', () => {
    expect([port('0'), port('65535'), wholeNumber('12')]).toEqual([0, 65_535, 12]);
    for (const text of ['65536', '-1', '1.5', 'x', '']) {
      expect(() => port(text)).toThrow();
    }
  });
});

describe('an error', () => {
  const reported = (error: unknown, json: boolean): [number, string] => {
    let note = '';
    const code = reportError(error, { note: (text) => (note += text) }, { json });
    return [code, note];
  };

  test.each([
    { error: new CommandError('file-missing', 'no file'), code: 'file-missing', exit: 1 },
    { error: new RefusedError(404, { code: 'not-found', detail: 'no file' }), code: 'not-found', exit: 1 },
    { error: new FatalError('no file'), code: 'data-directory', exit: 1 },
    { error: new CommanderError(1, 'commander.x', 'error: no file'), code: 'usage', exit: 2 },
  ])('has a stable code, $code, in JSON on standard error', ({ error, code, exit }) => {
    expect(reported(error, true)).toEqual([exit, JSON.stringify({ error: { code, message: 'no file' } })]);
  });

  test('that is known has no stack, one that is not has it', () => {
    expect(reported(new CommandError('file-missing', 'no file'), false)).toEqual([1, 'meterflow: no file']);
    expect(reported(new TypeError('x is not a function'), false)[1]).toContain('program.test.ts');
  });

  test('is no help that was asked for', () => {
    expect(reported(new CommanderError(0, 'commander.helpDisplayed', '(outputHelp)'), false)).toEqual([0, '']);
  });
});

test('--version prints the version, that of the package', () => {
  let text = '';
  const program = buildProgram(processOutput).configureOutput({ writeOut: (piece) => (text += piece) });
  expect(() => program.parse(['--version'], { from: 'user' })).toThrow(CommanderError);
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as object & {
    version: string;
  };
  expect(text).toBe(`${version}\n`);
});

describe('files to import', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'importable-'));
    mkdirSync(join(folder, 'sub'));
    for (const name of ['b.csv', 'a.ndjson.gz', 'sub/c.JSON', 'readme.md', '.hidden.csv', 'b.csv.receipt.json']) {
      writeFileSync(join(folder, name), 'x');
    }
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  test('of a directory are those that look like readings, by name; a file that is named is taken as it is', async () => {
    const files = await importableFiles([join(folder, 'readme.md'), folder]);
    expect(files.map((file) => file.slice(folder.length + 1))).toEqual([
      'readme.md',
      'a.ndjson.gz',
      'b.csv',
      'sub/c.JSON',
    ]);
  });

  test('are missed before anything starts', async () => {
    await expect(importableFiles([join(folder, 'no.csv')])).rejects.toThrow(/there is no file .*no\.csv/);
    mkdirSync(join(folder, 'empty'));
    await expect(importableFiles([join(folder, 'empty')])).rejects.toThrow(/holds no file of readings/);
  });
});
