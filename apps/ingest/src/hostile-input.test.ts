import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IngestStand, push } from './testing/ingest-stand.ts';

let stand: IngestStand;
let key: string;
beforeAll(async () => {
  stand = await IngestStand.open();
  key = await stand.key('acme', 'operator');
});
afterAll(() => stand.close());

const header = 'meter_id,channel,start,end,value,unit\n';
const row = (value: string, start = '2015-01-01T00:00:00Z'): string => `m,c,${start},,${value},kWh\n`;
const good = row('1');
const frames = Buffer.concat([header, good, good].map((text) => zstdCompressSync(Buffer.from(text))));
const manyFrames = Buffer.concat([
  zstdCompressSync(Buffer.from(header)),
  ...Array.from({ length: 300 }, () => zstdCompressSync(Buffer.from(good.repeat(20)))),
]);
const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(header + good, 'utf16le')]);

interface Told {
  readonly counts?: { readonly accepted: number; readonly rejected: number };
  readonly refusal?: { readonly code: string };
  readonly detail?: string;
}

async function imported(path: string): Promise<Told> {
  const answer = await fetch(`${stand.url}/v1/imports`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ path }),
  });
  return JSON.parse((await answer.text()).trim().split('\n').at(-1)!) as Told;
}

async function importedContent(name: string, content: string | Uint8Array): Promise<Told> {
  const path = join(stand.root, name);
  await writeFile(path, content);
  return imported(path);
}

/** How a provider would send a file of this name. */
function headersFor(name: string): Record<string, string> {
  const encoding = name.endsWith('.gz') ? 'gzip' : name.endsWith('.zst') ? 'zstd' : 'identity';
  return { 'content-encoding': encoding };
}

describe('a file and a request alike', () => {
  test.each([
    ['only a header', 'header.csv', header, 0, 0],
    ['a byte order mark', 'bom.csv', `\ufeff${header}${good}`, 1, 0],
    ['carriage returns', 'crlf.csv', (header + good).replaceAll('\n', '\r\n'), 1, 0],
    ['a NUL in a line', 'nul.csv', header + good + good.replace('m', 'm\0') + good, 2, 1],
    ['a line break between quotes', 'quoted.csv', header + good.replace('m', '"m\nx"') + good, 1, 2],
    ['a line of a million fields', 'fields.csv', `${header}${good}${'1,'.repeat(1e6)}\n${good}`, 2, 1],
    ['several gzip members', 'members.csv.gz', Buffer.concat([gzipSync(header), gzipSync(good)]), 1, 0],
    ['several zstd frames', 'frames.csv.zst', frames, 2, 0],
    ['hundreds of zstd frames', 'many.csv.zst', manyFrames, 6_000, 0],
  ])('that holds %s gives what can be read', async (...[, name, content, accepted, rejected]) => {
    expect((await importedContent(name, content)).counts).toMatchObject({ accepted, rejected });
    const { status, json } = await push(stand, key, { body: content, headers: headersFor(name) });
    expect([status, json.accepted, json.rejected]).toEqual([200, accepted, rejected]);
  });

  test.each([
    ['UTF-16', 'utf16.csv', utf16, 'unsupported-encoding', 'UTF-16'],
    ['nothing but NULs', 'nuls.csv', Buffer.alloc(5_000), 'unreadable-header', 'control character'],
    ['a million columns', 'columns.csv', `${'a,'.repeat(1e6)}\n${good}`, 'unreadable-header', 'longer than 65536'],
    ['a column twice', 'twice.csv', header.replace('end', 'start') + good, 'duplicate-column', 'start more than once'],
    ['cut gzip', 'cut.csv.gz', gzipSync(header + good).subarray(0, 40), 'damaged-content', 'cut'],
    ['cut zstd', 'cut.csv.zst', zstdCompressSync(Buffer.from(header + good)).subarray(0, 30), 'damaged-content', 'cut'],
    [
      'zstd and then no more of it',
      'rest.csv.zst',
      Buffer.concat([frames, Buffer.from('more')]),
      'damaged-content',
      '',
    ],
    ['gzip in gzip', 'again.csv.gz', gzipSync(gzipSync(header + good)), 'packed-twice', 'packed once more'],
    ['gzip in zstd', 'again.csv.zst', zstdCompressSync(gzipSync(header)), 'packed-twice', 'packed once more'],
  ])('that holds %s is refused with what is wrong', async (...[, name, content, code, reason]) => {
    expect((await importedContent(name, content)).refusal).toMatchObject({ code });
    const { status, json } = await push(stand, key, { body: content, headers: headersFor(name) });
    expect([status, json.detail]).toEqual([422, expect.stringContaining(reason)]);
  });

  test('rejects values and times that are none, line by line', async () => {
    const values = ['NaN', '1e308', '0x10', 'Infinity', '1.2345678901', '1_000', '-1', '1.100000000000'];
    const times = ['0000-01-01T00:00:00Z', '9999-12-31T00:00:00Z', '2016-12-31T23:59:60Z', '2015-02-29T00:00:00Z'];
    const lines = [...values.map((value) => row(value)), ...times.map((time) => row('1', time))];
    const { json } = await push(stand, key, { body: header + lines.join('') });
    expect(json.rejects.map(({ line, code }) => `${line} ${code}`)).toEqual([
      '2 no-value',
      '3 value-too-large',
      '4 invalid-value',
      '5 invalid-value',
      '6 too-many-decimals',
      '7 invalid-value',
      '10 invalid-time',
      '11 in-the-future',
      '12 invalid-time',
      '13 invalid-time',
    ]);
  });
});

test('a file of one endless line costs that line', async () => {
  const told = await importedContent('long.csv', Buffer.concat([Buffer.from(header), Buffer.alloc(100e6, 'x')]));
  expect(told.counts).toMatchObject({ accepted: 0, rejected: 1 });
});

test('a directory and a pipe are no files', async () => {
  await mkdir(join(stand.root, 'folder.csv'));
  execFileSync('mkfifo', [join(stand.root, 'pipe.csv')]);
  expect((await imported(join(stand.root, 'folder.csv'))).detail).toContain('is a directory');
  expect((await imported(join(stand.root, 'pipe.csv'))).detail).toContain('is not a regular file');
});

test('the same file imported twice at once is one source, or the next delivery of it', async () => {
  const path = join(stand.root, 'both.csv');
  await writeFile(path, header + good);
  const told = await Promise.all([imported(path), imported(path)]);
  expect(told.map(({ counts }) => counts?.accepted)).toEqual([1, 1]);
});

test('a body that is packed and does not say so is told how to', async () => {
  const { status, json } = await push(stand, key, { body: gzipSync(header + good) });
  expect([status, json.detail]).toEqual([422, expect.stringContaining('Content-Encoding: gzip')]);
});

test.each(['', 'text/plain', 'multipart/form-data', 'text/csv; charset=utf-16'])(
  'a body of type "%s" is not understood',
  async (type) => {
    expect((await push(stand, key, { body: header + good, type })).status).toBe(415);
  },
);
