import type { DeadLetter, OutgoingMessage } from '@meterflow/stage';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { receiveNow, TemporaryBus } from '../testing/temporary-bus.ts';
import { deadLetterCauses } from './dead-letter-causes.ts';
import { openDeadLetterFile } from './dead-letter-file.ts';
import { openDeadLetters, type DeadLetters } from './dead-letters.ts';

let temporary: TemporaryBus;
let letters: DeadLetters;

beforeEach(() => {
  temporary = new TemporaryBus();
  letters = openDeadLetters(temporary);
});

afterEach(async () => {
  letters.close();
  await temporary.remove();
});

function letter(number: number, change: Partial<DeadLetter> = {}): DeadLetter {
  return {
    id: `persistence/k${number}`,
    state: 'dead',
    stage: 'persistence',
    subscription: 's',
    key: `k${number}`,
    tenant: 'default',
    reasonCode: 'invalid-batch',
    reason: 'It says 5 readings and holds 4.',
    payload: new Uint8Array([number, 2, 3]),
    attributes: { tenant: 'default' },
    atMs: 1_000 + number,
    causes: [{ sourceId: 'file-1.1', key: `accepted${number}`, part: 0, parts: 1 }],
    layers: ['validated', 'hour'],
    ...change,
  };
}

const idsOf = (lines: readonly { readonly id: string }[]): string[] => lines.map(({ id }) => id);

test('a dead letter is shown as it was put, also after opening again', async () => {
  const causes = [
    { sourceId: 'file-1.1', key: 'a', part: 0, parts: 2 },
    { sourceId: 'file-1.1', key: 'a', part: 1, parts: 2 },
    { sourceId: 'file-2.1', key: 'b', part: 0, parts: 1 },
  ];
  await letters.put([letter(1, { causes, state: 'parked' })]);
  letters.close();
  letters = openDeadLetters(temporary);
  const shown = await letters.show('persistence/k1');
  expect(shown).toEqual({ ...letter(1, { causes, state: 'parked' }), layers: expect.anything() as unknown });
  expect(shown?.layers.toSorted()).toEqual(['hour', 'validated']);
});

test('the same failure twice is one dead letter, the later one', async () => {
  await letters.put([letter(1), letter(2)]);
  await letters.put([letter(1, { reason: 'again', atMs: 9_000, layers: ['day'] })]);
  expect(idsOf(await letters.list({ limit: 10 }))).toEqual(['persistence/k1', 'persistence/k2']);
  expect(await letters.show('persistence/k1')).toMatchObject({ reason: 'again', layers: ['day'] });
});

test('lists are filtered, newest first, and go on after a line', async () => {
  await letters.put([
    letter(1),
    letter(2, { tenant: 'acme' }),
    letter(3, { state: 'parked', reasonCode: 'halted' }),
    letter(4, { id: 'rules/k4', stage: 'rules' }),
    letter(5, { atMs: 1_004 }),
  ]);
  expect(idsOf(await letters.list({ limit: 10, tenant: 'acme' }))).toEqual(['persistence/k2']);
  expect(idsOf(await letters.list({ limit: 10, state: 'parked' }))).toEqual(['persistence/k3']);
  expect(idsOf(await letters.list({ limit: 10, reasonCode: 'halted', state: 'dead' }))).toEqual([]);
  expect(idsOf(await letters.list({ limit: 10, stage: 'rules' }))).toEqual(['rules/k4']);
  const first = await letters.list({ limit: 2 });
  expect(idsOf(first)).toEqual(['rules/k4', 'persistence/k5']);
  expect(idsOf(await letters.list({ limit: 2, before: first[1]! }))).toEqual(['persistence/k3', 'persistence/k2']);
  expect(first[0]).toMatchObject({ payloadBytes: 3, reasonCode: 'invalid-batch' });
  expect(await letters.counts()).toEqual({ dead: 4, parked: 1, purged: 0 });
});

test('a retried letter comes to its subscription once more, and is gone', async () => {
  const bus = temporary.open();
  await letters.put([letter(1), letter(2)]);
  expect(await letters.retry(['persistence/k1', 'unknown'], bus)).toEqual(['persistence/k1']);
  const [message] = await receiveNow(bus.source('s', { ackDeadlineMs: 10_000 }));
  expect(message).toMatchObject({ payload: new Uint8Array([1, 2, 3]), attributes: { tenant: 'default' } });
  expect(idsOf(await letters.list({ limit: 10 }))).toEqual(['persistence/k2']);
});

test('a retry may stamp the payload anew', async () => {
  const bus = temporary.open();
  await letters.put([letter(1, { state: 'parked' })]);
  const restamp = ({ payload }: DeadLetter): Uint8Array => payload.map((byte) => byte + 100);
  await letters.retry(['persistence/k1'], { publisher: bus.publisher, restamp });
  const [message] = await receiveNow(bus.source('s', { ackDeadlineMs: 10_000 }));
  expect(message?.payload).toEqual(new Uint8Array([101, 102, 103]));
});

test('a retry that can’t be published keeps the letter', async () => {
  await letters.put([letter(1)]);
  const publish = (): Promise<void> => Promise.reject(new Error('down'));
  await expect(letters.retry(['persistence/k1'], { publisher: { publish } })).rejects.toThrow('down');
  expect(await letters.show('persistence/k1')).toMatchObject({ key: 'k1' });
});

test('a letter that came again while it was retried stays', async () => {
  await letters.put([letter(1)]);
  const published: OutgoingMessage[] = [];
  const publish = async (messages: readonly OutgoingMessage[]): Promise<void> => {
    published.push(...messages);
    await letters.put([letter(1, { atMs: 9_999 })]);
  };
  await letters.retry(['persistence/k1'], { publisher: { publish } });
  expect(published.map(({ topic }) => topic)).toEqual(['s.retry']);
  expect(await letters.show('persistence/k1')).toMatchObject({ atMs: 9_999 });
});

test('a purged letter stays purged when the same is put once more', async () => {
  await letters.put([letter(1)]);
  await letters.purge(['persistence/k1']);
  await letters.put([letter(1, { atMs: 9_000 }), letter(2)]);
  expect(await letters.show('persistence/k1')).toBeUndefined();
  expect(await letters.counts()).toEqual({ dead: 1, parked: 0, purged: 1 });
  const [, line] = await letters.list({ limit: 2 });
  expect(line).toMatchObject({ id: 'persistence/k1', state: 'purged', payloadBytes: 0, reason: '' });
});

test('a purged letter keeps its place in the ledger and nothing of its payload', async () => {
  await letters.put([letter(1), letter(2, { state: 'parked' })]);
  expect(await letters.purge(['persistence/k1', 'unknown'])).toEqual(['persistence/k1']);
  expect(await letters.purge(['persistence/k1'])).toEqual([]);
  expect(await letters.show('persistence/k1')).toBeUndefined();
  expect(await letters.list({ limit: 10, state: 'purged' })).toMatchObject([{ payloadBytes: 0, key: 'k1' }]);
  const file = openDeadLetterFile(temporary.directory);
  expect(deadLetterCauses(file, 'file-1.1')).toEqual([
    { sourceId: 'file-1.1', key: 'accepted1', part: 0, parts: 1, layer: 'hour', state: 'purged' },
    { sourceId: 'file-1.1', key: 'accepted1', part: 0, parts: 1, layer: 'validated', state: 'purged' },
    { sourceId: 'file-1.1', key: 'accepted2', part: 0, parts: 1, layer: 'hour', state: 'parked' },
    { sourceId: 'file-1.1', key: 'accepted2', part: 0, parts: 1, layer: 'validated', state: 'parked' },
  ]);
  expect(deadLetterCauses(file, 'another')).toEqual([]);
  file.close();
});
