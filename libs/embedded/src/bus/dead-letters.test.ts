import { deadLetter, describeDeadLetterStore } from '@meterflow/stage/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { receiveNow, TemporaryBus } from '../testing/temporary-bus.ts';
import { deadLetterCauses } from './dead-letter-causes.ts';
import { openDeadLetterFile } from './dead-letter-file.ts';
import { openDeadLetters, type DeadLetters } from './dead-letters.ts';

describeDeadLetterStore('DeadLetters', () => {
  const bus = new TemporaryBus();
  const opened = [openDeadLetters(bus)];
  return Promise.resolve({
    letters: opened[0]!,
    reopen: () => {
      const other = openDeadLetters(bus);
      opened.push(other);
      return Promise.resolve(other);
    },
    close: () => {
      opened.forEach((letters) => {
        letters.close();
      });
      return bus.remove();
    },
  });
});

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

test('a retried letter comes to its subscription once more, and is gone', async () => {
  const bus = temporary.open();
  await letters.put([deadLetter(1), deadLetter(2)]);
  expect(await letters.retry(['persistence/k1', 'unknown'], bus)).toEqual(['persistence/k1']);
  const [message] = await receiveNow(bus.source('s', { ackDeadlineMs: 10_000 }));
  expect(message).toMatchObject({ payload: new Uint8Array([1, 2, 3]), attributes: { tenant: 'default' } });
  expect(await letters.list({ limit: 10 })).toMatchObject([{ id: 'persistence/k2' }]);
});

test('a purged letter keeps its place in the ledger and nothing of its payload', async () => {
  await letters.put([deadLetter(1), deadLetter(2, { state: 'parked' })]);
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
