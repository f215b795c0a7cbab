import { existsSync } from 'node:fs';
import { appendFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { importsAtOnceMax } from './limits.ts';
import { csvHeader, csvLines, IngestStand } from './testing/ingest-stand.ts';

let stand: IngestStand;
let tenant: string;
let key: string;
let tenants = 0;

beforeAll(async () => {
  stand = await IngestStand.open();
});
beforeEach(async () => {
  tenants += 1;
  tenant = `acme-${tenants}`;
  key = await stand.key(tenant, 'operator');
  stand.published.length = 0;
  stand.beforePublish = () => undefined;
});
afterAll(() => stand.close());

type Line = Readonly<Record<string, unknown>> & { readonly sourceId?: string; readonly detail?: string };

async function imported(body: object): Promise<{ status: number; lines: readonly Line[]; last: Line }> {
  const answer = await fetch(`${stand.url}/v1/imports`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const lines = (await answer.text()).trim().split('\n');
  const parsed = lines.map((line) => JSON.parse(line) as Line);
  return { status: answer.status, lines: parsed, last: parsed.at(-1)! };
}

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(stand.root, `${tenants}-${name}`);
  await writeFile(path, content);
  return path;
}

describe('an import', () => {
  test('ends with a closing line, its readings on the bulk lane', async () => {
    const path = await file('may.csv', csvHeader + csvLines(9_000));
    const { status, last } = await imported({ path });
    expect(status).toBe(200);
    expect(last).toMatchObject({ closed: true, counts: { received: 9_000, accepted: 9_000, rejected: 0 }, batches: 3 });
    expect(stand.readings).toHaveLength(9_000);
    expect(stand.published.every(({ topic }) => topic === 'readings.accepted.bulk')).toBe(true);
    const receipt = await stand.platform.sources.receipt(tenant, last.sourceId!);
    expect(receipt).toMatchObject({ label: path.split('/').at(-1) });
  });

  test('tells progress', async () => {
    const path = await file('long.csv', csvHeader + csvLines(120_000));
    stand.beforePublish = () => new Promise((resolve) => setTimeout(resolve, 120));
    const { lines } = await imported({ path });
    expect(lines.length).toBeGreaterThan(1);
    expect(lines[0]).toMatchObject({ bytes: expect.any(Number) as number, bytesTotal: expect.any(Number) as number });
  });

  test('of the same content is the same acceptance: the next delivery, or the same one where it has a name', async () => {
    const path = await file('may.csv', csvHeader + csvLines(3));
    const ids: (string | undefined)[] = [];
    for (const delivery of ['first', 'first', undefined, 'first']) {
      ids.push((await imported({ path, ...(delivery === undefined ? {} : { delivery }) })).last.sourceId);
    }
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).toBe(ids[0]!.replace(/1$/, '2'));
    expect(ids[3]).toBe(ids[0]);
    const other = await imported({ path, sourceVersion: 2 });
    expect(other.last.sourceId).not.toContain(ids[0]!.split('.')[0]);
  });

  test.each([
    ['written to in place', (path: string) => writeFile(path, csvHeader + csvLines(20_000, 'm7'))],
    ['cut', (path: string) => truncate(path, 1_000)],
    ['removed', (path: string) => rm(path)],
  ])('of a file that is %s meanwhile fails and stays unfinished', async (_, change) => {
    const path = await file('may.csv', csvHeader + csvLines(20_000));
    stand.beforePublish = async () => {
      stand.beforePublish = () => undefined;
      await change(path);
    };
    const { last } = await imported({ path });
    expect(last).toEqual({ error: expect.stringContaining('was changed while it was read') as string });
    const receipts = await stand.platform.sources.list(tenant, { limit: 9 });
    expect(receipts.map(({ state }) => state)).toEqual(['receiving']);
  });

  test('of a file that is appended to meanwhile takes what was there at first', async () => {
    const path = await file('may.csv', csvHeader + csvLines(20_000));
    stand.beforePublish = async () => {
      stand.beforePublish = () => undefined;
      await appendFile(path, csvLines(5, 'm9'));
    };
    expect((await imported({ path })).last).toMatchObject({ closed: true, counts: { accepted: 20_000 } });
  });

  test.each([
    ['nothing', () => Promise.resolve('/nowhere/may.csv'), 'there is no file'],
    ['a directory', () => Promise.resolve(stand.root), 'is a directory'],
    ['an empty file', () => file('empty.csv', ''), 'is empty'],
    ['a device', () => Promise.resolve('/dev/null'), 'is not a regular file'],
    ['a relative path', () => Promise.resolve('may.csv'), 'is not absolute'],
  ])('of %s is refused with what is wrong', async (_, path, reason) => {
    const { status, last } = await imported({ path: await path() });
    expect(status).toBe(400);
    expect(last.detail).toContain(reason);
  });

  test('under a mapping that is not there is refused, and told which there are', async () => {
    const { status, last } = await imported({ path: await file('may.csv', csvHeader), mapping: 'berlin' });
    expect(status).toBe(400);
    expect(last.detail).toContain('default, london');
  });

  test('is refused once the readings of the day are used up, and told when to come again', async () => {
    await stand.tenants.setQuotas(tenant, { readingsPerDay: 3 });
    const path = await file('may.csv', csvHeader + csvLines(3));
    expect((await imported({ path })).last).toMatchObject({ closed: true });
    const refused = await fetch(`${stand.url}/v1/imports`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ path }),
    });
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ code: 'quota-exceeded' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  test('is refused when the requests of the minute are used up', async () => {
    await stand.tenants.setQuotas(tenant, { requestsPerMinute: 1 });
    const path = await file('may.csv', csvHeader + csvLines(3));
    expect((await imported({ path })).status).toBe(200);
    expect(await imported({ path })).toMatchObject({ status: 429, last: { code: 'too-many-requests' } });
  });

  test('of a file beyond the quota of bytes takes nothing of it; of one that unpacks to more, what comes before', async () => {
    await stand.tenants.setQuotas(tenant, { bytesPerRequest: 2_000_000 });
    const large = await imported({ path: await file('large.csv', csvHeader + csvLines(40_000)) });
    expect(large.last).toMatchObject({ counts: { received: 0 }, refusal: { code: 'source-too-large' } });
    const packed = await imported({ path: await file('bomb.csv.gz', gzipSync(csvHeader + csvLines(40_000))) });
    expect(packed.last).toMatchObject({ closed: true, refusal: { code: 'source-too-large' } });
    expect(packed.last['refusal']).toMatchObject({ reason: expect.stringContaining('bytesPerRequest') as string });
  });

  test('of which no line can be read is closed with the reason', async () => {
    const { last } = await imported({ path: await file('bad.csv', 'a,b\n1,2\n') });
    expect(last).toMatchObject({ closed: true, counts: { accepted: 0 }, refusal: { line: 0 } });
  });

  test('is refused while as many as may be are in work', async () => {
    const gate = Promise.withResolvers<undefined>();
    stand.beforePublish = () => gate.promise;
    const paths = await Promise.all(
      Array.from({ length: importsAtOnceMax + 1 }, (_, index) => file(`${index}.csv`, csvHeader + csvLines(index + 1))),
    );
    const running = paths.slice(1).map((path) => imported({ path }));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const one = await imported({ path: paths[0] });
    expect(one).toMatchObject({ status: 429, last: { code: 'overloaded' } });
    gate.resolve(undefined);
    expect((await Promise.all(running)).every(({ last }) => last['closed'] === true)).toBe(true);
    expect((await imported({ path: paths[0] })).status).toBe(200);
  });

  test('that a stopping process interrupts says so, and is resumed by the next', async () => {
    const own = await IngestStand.open();
    const path = await file('may.csv', csvHeader + csvLines(50_000));
    own.beforePublish = () => {
      own.draining.abort();
    };
    const headers = {
      authorization: `Bearer ${await own.key(tenant, 'operator')}`,
      'content-type': 'application/json',
    };
    const answer = await fetch(`${own.url}/v1/imports`, { method: 'POST', headers, body: JSON.stringify({ path }) });
    expect(await answer.text()).toContain('"code":"interrupted"');
    const { root, published } = own;
    const before = published.map((batch) => batch.key);
    await own.end();
    const next = await IngestStand.open({}, root);
    const again = await fetch(`${next.url}/v1/imports`, { method: 'POST', headers, body: JSON.stringify({ path }) });
    expect(await again.text()).toContain('"accepted":50000');
    expect(next.published.map((batch) => batch.key).slice(0, before.length)).toEqual(before);
    expect(await next.platform.sources.list(tenant, { limit: 9 })).toHaveLength(1);
    await next.close();
  });
});

const london = join(
  process.env['METERFLOW_SHARED'] ?? '../../../shared',
  'data/low-carbon-london/MAC000002_raw.csv.gz',
);

describe.skipIf(!existsSync(london))('the London files [needs shared]', () => {
  test('have their Null row, repeats and gaps in the receipt by line, and lose but the Null row', async () => {
    const { last } = await imported({ path: london });
    expect(last).toMatchObject({ counts: { received: 24_158, accepted: 24_157, rejected: 1 } });
    const rejects = await stand.platform.sources.rejects(tenant, last.sourceId!, { limit: 10, afterLine: 0 });
    expect(rejects).toMatchObject([{ line: 3_242, column: 'KWH/hh (per half hour)', code: 'no-value' }]);
    const receipt = await stand.platform.sources.receipt(tenant, last.sourceId!);
    expect(receipt).toMatchObject({ rejected: 1, repeated: 17, gaps: 5, missing: 52 });
    expect(receipt?.remarks.slice(0, 2)).toMatchObject([
      { line: 23, code: 'gap' },
      { line: 385, code: 'repeated' },
    ]);
    const remarks = await stand.platform.sources.remarks(tenant, last.sourceId!, { limit: 100, afterLine: 0 });
    expect(remarks).toHaveLength(22);
    expect(stand.readings).toHaveLength(24_157);
  });

  test('are rejected whole where the mapping says so', async () => {
    const strict = {
      ...{ meter: { column: 'LCLid' }, channel: { constant: 'import' }, time: { column: 'DateTime' } },
      ...{ value: { column: 'KWH/hh (per half hour)' }, unit: { constant: 'kWh' }, onBadLine: 'reject-source' },
    };
    const put = await fetch(`${stand.url}/v1/mappings/strict`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(strict),
    });
    expect(put.status).toBe(201);
    const { last } = await imported({ path: london, mapping: 'strict' });
    expect(last).toMatchObject({ counts: { received: 24_158, accepted: 0 }, refusal: { code: 'source-rejected' } });
    expect(stand.published).toEqual([]);
  });
});
