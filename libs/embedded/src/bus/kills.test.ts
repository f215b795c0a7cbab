import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { systemClock } from '@meterflow/stage';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { receiveNow, TemporaryBus } from '../testing/temporary-bus.ts';

let temporary: TemporaryBus;

beforeEach(() => {
  temporary = new TemporaryBus();
});

afterEach(() => temporary.remove());

interface Child {
  readonly process: ChildProcess;
  readonly lines: string[];
  readonly ended: Promise<unknown>;
}

const script = (name: string): string => join(import.meta.dirname, '../testing', `${name}.ts`);

function start(command: string, ...parameters: string[]): Child {
  const child = spawn(command, parameters, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  let rest = '';
  child.stdout.on('data', (part: Buffer) => {
    const parts = (rest + part.toString()).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });
  return { process: child, lines, ended: once(child, 'close') };
}

async function untilLines(child: Child, count: number): Promise<void> {
  while (child.lines.length < count && child.process.exitCode === null) {
    await systemClock.sleep(5);
  }
}

test('publishers and consumers killed at any moment lose no confirmed message, and no acked one comes again', async () => {
  const bus = temporary.open({ clock: systemClock });
  const { root } = temporary.directory;
  const publishers = ['p', 'q'].map((name, index) =>
    start(process.execPath, script('publish-until-stopped'), root, name, index === 0 ? '5000' : '300', '100000'),
  );
  const consumers = ['c', 'd'].map((name) => start(process.execPath, script('consume-until-stopped'), root, name));
  await Promise.all([...publishers, ...consumers].map((child, index) => untilLines(child, 15 + 20 * index)));
  for (const child of [...consumers, ...publishers]) {
    child.process.kill('SIGKILL');
    await child.ended;
  }
  expect(bus.releaseLeases(() => true)).toBeLessThanOrEqual(8);
  const left = await receiveNow(bus.source('s', { ackDeadlineMs: 60_000 }), 100_000);
  const leftNumbers = left.map(({ attributes }) => attributes['number'] ?? '');
  const said = (word: string): string[] =>
    consumers.flatMap(({ lines }) => lines.flatMap((line) => (line.startsWith(word) ? [line.slice(word.length)] : [])));
  const acked = new Set(said('acked '));
  const received = said('received ');
  const known = new Set([...leftNumbers, ...received]);
  expect(leftNumbers.filter((number) => acked.has(number))).toEqual([]);
  expect(new Set(received).size).toBe(received.length);
  expect(publishers.flatMap(({ lines }) => lines).filter((number) => !known.has(number))).toEqual([]);
  left.forEach(({ payload, attributes }) => {
    const fill = Number(attributes['number']?.slice(2)) & 255;
    expect(payload.every((byte) => byte === fill)).toBe(true);
  });
});

// Small commits go into the topic's own file, large ones into a segment.
test.each([50_000, 100_000])(
  'when the disk takes no more, every confirmed message of %d bytes is there',
  async (size) => {
    const bus = temporary.open({ clock: systemClock });
    const { root } = temporary.directory;
    // A file that may not grow further stands for the full disk.
    const limited = `trap '' XFSZ; ulimit -f 2000; exec "$0" "$@"`;
    const publish = script('publish-until-stopped');
    const child = start('sh', '-c', limited, process.execPath, publish, root, 'p', String(size), '200');
    await child.ended;
    expect(child.lines.pop()).toMatch(/^TransientError: .*topic-t.sqlite (is full|can't be read or written)/);
    const messages = await receiveNow(bus.source('s', { ackDeadlineMs: 60_000 }), 1_000);
    expect(child.lines.length).toBeGreaterThan(3);
    expect(messages.map(({ attributes }) => attributes['number'])).toEqual(child.lines);
  },
);
