import { expect, test } from 'vitest';
import { dedupeKey } from './deduper.ts';
import { MemoryDeduper } from './memory-deduper.ts';
import { describeDeduper } from './testing/index.ts';

describeDeduper('MemoryDeduper', () => {
  let nowMs = 1_700_000_000_000;
  return Promise.resolve({
    deduper: new MemoryDeduper({ nowMs: () => nowMs, keysMax: 100 }),
    advance: (ms) => {
      nowMs += ms;
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  });
});

test('no more than keysMax marks are kept, the newest ones', async () => {
  const deduper = new MemoryDeduper({ nowMs: () => 0, keysMax: 3 });
  const lease = { owner: 'a', leaseMs: 1_000 };
  const keys = ['1', '2', '3', '4', '5'];
  await deduper.claim(keys, lease);
  await deduper.done(keys, { owner: 'a', doneTtlMs: 1_000 });
  expect((await deduper.claim(keys, lease)).map(({ state }) => state)).toEqual([
    'claimed',
    'claimed',
    'done',
    'done',
    'done',
  ]);
});

test('no more than keysMax claims are kept, the newest ones', async () => {
  const deduper = new MemoryDeduper({ nowMs: () => 0, keysMax: 2 });
  await deduper.claim(['1', '2', '3'], { owner: 'a', leaseMs: 1_000 });
  const claims = await deduper.claim(['2', '3'], { owner: 'b', leaseMs: 1_000 });
  expect(claims.map(({ state }) => state)).toEqual(['held', 'held']);
});

test('another epoch or subscription is another key', () => {
  const names = [dedupeKey('s', 1, 'k'), dedupeKey('s', 2, 'k'), dedupeKey('t', 1, 'k')];
  expect(new Set(names).size).toBe(3);
});
