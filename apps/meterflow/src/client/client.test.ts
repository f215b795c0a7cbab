import { createServer, type RequestListener, type Server } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { floatValue, parseExact, shownValue } from './exact-json.ts';
import { LocalClient, RefusedError } from './local-client.ts';
import { pages, queryString } from './pages.ts';

describe('exact JSON', () => {
  const text = '{"a":0.10,"b":9007199254740993.25,"c":"1.0","d":[1e3,null]}';

  test('keeps every digit, there and back', () => {
    expect(JSON.stringify(parseExact(text))).toBe(text);
  });

  test('shows numbers by their digits, and reads them for a chart', () => {
    const { a, b, c } = parseExact(text) as Record<string, unknown>;
    expect([a, b, c, null, undefined].map(shownValue)).toEqual(['0.10', '9007199254740993.25', '1.0', '', '']);
    expect(floatValue(a)).toBe(0.1);
  });
});

test('a query string has what is given', () => {
  expect(queryString({ meter: 'a b', raw: true, limit: 5, after: undefined })).toBe('?meter=a+b&raw=true&limit=5');
  expect(queryString({ after: undefined })).toBe('');
});

describe('the local client', () => {
  let folder: string;
  let socket: string;
  let server: Server;
  const call = { path: '/v1/things', tenant: 'acme', role: 'operator' } as const;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'client-'));
    socket = join(folder, 's.sock');
  });
  afterEach(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  function listen(answer: RequestListener): void {
    server = createServer(answer).listen(socket);
  }

  test('acts for the tenant that it is told', async () => {
    listen((request, response) => response.end(JSON.stringify(request.headers)));
    const headers = (await new LocalClient(socket).json({ ...call, method: 'POST', body: {} })) as object;
    expect(headers).toMatchObject({ authorization: 'Bearer local.operator.acme', 'content-type': 'application/json' });
  });

  test('waits for a service that is not up yet', async () => {
    const answer = new LocalClient(socket).text(call);
    setTimeout(() => {
      listen((_request, response) => response.end('up'));
    }, 120);
    expect(await answer).toBe('up');
  });

  test('says what was refused, each of several things on a line of its own', async () => {
    const errors = [
      { at: 'line 1', problem: 'is wrong' },
      { at: 'line 2', problem: 'too' },
    ];
    listen((_request, response) => {
      response.writeHead(422).end(JSON.stringify({ code: 'unprocessable-content', detail: 'both', errors }));
    });
    const refused = await new LocalClient(socket).text(call).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RefusedError);
    expect(refused).toMatchObject({ status: 422, code: 'unprocessable-content' });
    expect((refused as Error).message).toBe('line 1: is wrong\n  line 2: too');
  });

  test('says what is no problem document as it is', async () => {
    listen((_request, response) => response.writeHead(500).end('<oops>'));
    await expect(new LocalClient(socket).text(call)).rejects.toMatchObject({ status: 500, message: '<oops>' });
  });

  test('lists page after page', async () => {
    const asked: (string | undefined)[] = [];
    listen(({ url }, response) => {
      asked.push(url);
      response.end(url?.includes('after') === true ? '{"rows":[{"n":2}]}' : '{"rows":[{"n":1}],"next":"1.2"}');
    });
    const rows: unknown[] = [];
    const listed = { ...call, path: '/v1/things?a=1', cursor: 'after', rows: 'rows' };
    for await (const page of pages(new LocalClient(socket), listed)) {
      rows.push(...page);
    }
    expect(JSON.stringify(rows)).toBe('[{"n":1},{"n":2}]');
    expect(asked).toEqual(['/v1/things?a=1', '/v1/things?a=1&after=1.2']);
  });
});
