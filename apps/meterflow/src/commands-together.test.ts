import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand, startCommand, type CommandEnd } from './testing/run-command.ts';

// Commands that meet on one data directory where no server runs, and commands whose output nobody takes.

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'commands-together-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const linesOfEach = 40_000;

/** A file of one meter's quarter hours, 1 Wh each. */
function readingsOf(meter: string): string {
  const file = join(folder, `${meter}.csv`);
  const lines = ['meter_id,channel,start,value,unit'];
  for (let index = 0; index < linesOfEach; index++) {
    lines.push(`${meter},import,${new Date(Date.UTC(2024, 0) + index * 900_000).toISOString()},0.001,kWh`);
  }
  writeFileSync(file, lines.join('\n'));
  return file;
}

function meterflow(...words: readonly string[]): Promise<CommandEnd> {
  return runCommand(...words, '--data-dir', join(folder, 'data'), '--log-level', 'error');
}

test('imports that are started at once all come to their end, and a question in between is answered', async () => {
  const ends = await Promise.all([
    ...['M1', 'M2', 'M3'].map((meter) => meterflow('import', readingsOf(meter), '--json')),
    meterflow('tenants', 'list', '--json'),
  ]);
  expect(ends.map(({ code, err }) => ({ code, err }))).toEqual(ends.map(() => ({ code: 0, err: '' })));
  const counted = await meterflow('sql', 'select count(*) as n, sum(value) as kwh from readings', '--json');
  expect(JSON.parse(counted.out)).toEqual([{ n: 3 * linesOfEach, kwh: (3 * linesOfEach) / 1_000 }]);
}, 120_000);

test('a reader who has read enough (`| head`) ends a command quietly, as SIGPIPE would', async () => {
  const words = ['sql', 'from readings', '--json', '--data-dir', join(folder, 'data')];
  const child = startCommand(words);
  let err = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  await once(lines, 'line');
  child.stdout?.destroy();
  const [code] = (await once(child, 'exit')) as [number];
  expect({ code, err }).toEqual({ code: 141, err: '' });
}, 60_000);

test('what can not be written is said', async () => {
  const { code, err } = await meterflow('export', '--out', join(folder, 'nowhere', 'all.ndjson'), '--json');
  expect(code).toBe(1);
  expect(JSON.parse(err)).toMatchObject({
    error: { code: 'not-written', message: expect.stringContaining('choose another with --out') as string },
  });
}, 60_000);

test('a dead letter that is not there is an error', async () => {
  const { code, out, err } = await meterflow('dead-letters', 'purge', 'nope', '--json');
  expect({ code, out: out.trim() }).toEqual({ code: 1, out: '{"purged":[]}' });
  expect(JSON.parse(err)).toMatchObject({ error: { code: 'not-found' } });
}, 60_000);
