import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { topology } from '@meterflow/contracts';
import { dataDirectory, openBus } from '@meterflow/embedded';
import { localCredential } from '@meterflow/http';
import { systemClock } from '@meterflow/stage';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { csvHeader, csvLines } from './testing/ingest-stand.ts';

let root: string;
let child: ChildProcess;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ingest-'));
  await mkdir(join(root, 'run'));
  const declared = topology(['live', 'bulk']);
  const bus = openBus({ directory: dataDirectory(root), clock: systemClock, owner: 'test' });
  for (const { topic, subscriptions } of declared) {
    bus.declareTopic(topic);
    subscriptions.forEach((name) => {
      bus.declareSubscription({ name, topic, from: 'start' });
    });
  }
  await bus.close();
  child = fork(join(import.meta.dirname, 'main.ts'), [], { env: { METERFLOW_DATA_DIR: root }, stdio: 'inherit' });
  await once(child, 'message');
});
afterEach(async () => {
  if (child.exitCode === null) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  await rm(root, { recursive: true });
});

const lines = 100_000;
const megabyte = 1024 * 1024;
/** Some megabytes of readings of one meter; the same ones again under the name of another. */
const piece = csvLines(lines, 'meter-0000');

function* content(bytes: number): Generator<string> {
  yield csvHeader;
  for (let sent = 0, meter = 1; sent < bytes; sent += piece.length, meter++) {
    yield piece.replaceAll('meter-0000', `meter-${String(meter).padStart(4, '0')}`);
  }
}

async function send(path: string, body: Readable, type: string): Promise<string> {
  const sending = request({
    socketPath: join(root, 'run/ingest.local.sock'),
    method: 'POST',
    path,
    headers: { authorization: `Bearer ${localCredential('operator', 'default')}`, 'content-type': type },
  });
  const answered = once(sending, 'response') as Promise<[Readable]>;
  await pipeline(body, sending);
  const [answer] = await answered;
  return (await answer.toArray()).join('');
}

/** The most memory that the process has had so far. */
function peakBytes(): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

describe.skipIf(process.platform !== 'linux')('the process of ingest', () => {
  test.each(['push', 'import'])(
    'needs no more memory for a %s of 400 MB than for one of 5 MB',
    { timeout: 600_000 },
    async (door) => {
      const bring = async (bytes: number): Promise<string> => {
        const body = Readable.from(content(bytes), { objectMode: false, highWaterMark: megabyte });
        if (door === 'push') {
          return send('/v1/readings', body, 'text/csv');
        }
        const path = join(root, 'source.csv');
        await writeFile(path, body);
        return send('/v1/imports', Readable.from([JSON.stringify({ path })]), 'application/json');
      };
      for (let warm = 0; warm < 5; warm++) {
        expect(await bring(5 * megabyte)).toContain(`"accepted":${lines}`);
      }
      const before = peakBytes();
      const answer = await bring(400 * megabyte);
      expect(answer).toContain(`"accepted":${Math.ceil((400 * megabyte) / piece.length) * lines}`);
      const after = peakBytes();
      process.stdout.write(`${door}: ${Math.round(before / megabyte)} MB, then ${Math.round(after / megabyte)} MB\n`);
      expect(after).toBeLessThan(300 * megabyte);
      expect(after - before).toBeLessThan(100 * megabyte);
      expect(await readdir(join(root, 'uploads')).catch(() => [])).toEqual([]);
    },
  );
});
