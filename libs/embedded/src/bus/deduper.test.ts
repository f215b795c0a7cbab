import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeDeduper } from '@meterflow/dedupe/testing';
import { systemClock, type Clock } from '@meterflow/stage';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { dataDirectory } from '../data-directory.ts';
import { openDeduper, type EmbeddedDeduper } from './deduper.ts';

describeDeduper('EmbeddedDeduper', () => {
  const root = mkdtempSync(join(tmpdir(), 'meterflow-deduper-'));
  let aheadMs = 0;
  const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs };
  const deduper = openDeduper({ directory: dataDirectory(root), subscription: 's', clock });
  return Promise.resolve({
    deduper,
    advance: (ms) => {
      aheadMs += ms;
      return Promise.resolve();
    },
    close: () => {
      deduper.close();
      rmSync(root, { recursive: true });
      return Promise.resolve();
    },
  });
});

let root: string;
let nowMs = 1_700_000_000_000;
const clock: Clock = { ...systemClock, nowMs: () => nowMs };
const open = (): EmbeddedDeduper => openDeduper({ directory: dataDirectory(root), subscription: 's', clock });

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'meterflow-deduper-'));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

const a = { owner: 'a', leaseMs: 10_000 };
const b = { owner: 'b', leaseMs: 10_000 };

test('claims, deaths and done marks are still there after the file was opened again', async () => {
  const first = open();
  await first.claim(['held', 'done'], a);
  await first.done(['done'], { owner: 'a', doneTtlMs: 1_000 });
  first.close();
  const second = open();
  expect((await second.claim(['held', 'done'], b)).map(({ state }) => state)).toEqual(['held', 'done']);
  second.close();
});

test('two processes that share the file see each other’s claims', async () => {
  const one = open();
  const two = open();
  await one.claim(['k'], a);
  expect((await two.claim(['k'], b))[0]).toMatchObject({ state: 'held' });
  await one.done(['k'], { owner: 'a', doneTtlMs: 1_000 });
  expect((await two.claim(['k'], b))[0]).toEqual({ state: 'done' });
  one.close();
  two.close();
});

test('what a dead process holds is claimed at once when it is said dead, and its death counts', async () => {
  const deduper = open();
  await deduper.claim(['k', 'l'], a);
  await deduper.claim(['m'], b);
  await deduper.markHandling(['k'], 'a', true);
  expect(deduper.expireLeases((owner) => owner === 'a')).toBe(2);
  expect(await deduper.claim(['k', 'l', 'm'], { owner: 'c', leaseMs: 10_000 })).toMatchObject([
    { state: 'claimed', ownerDied: true, deaths: 1 },
    { state: 'claimed', ownerDied: true, deaths: 0 },
    { state: 'held' },
  ]);
  deduper.close();
});

test('expired marks and claims go as new ones come', async () => {
  const deduper = open();
  const keys = Array.from({ length: 50 }, (_, index) => `old-${index}`);
  await deduper.claim([...keys, 'abandoned'], a);
  await deduper.done(keys, { owner: 'a', doneTtlMs: 1_000 });
  nowMs += 25 * 60 * 60 * 1000;
  for (let round = 0; round < 25; round += 1) {
    await deduper.done([`new-${round}`], { owner: 'a', doneTtlMs: 1_000_000 });
  }
  deduper.close();
  const { DatabaseSync } = await import('node:sqlite');
  const file = new DatabaseSync(dataDirectory(root).dedupe('s'));
  expect(file.prepare('select count(*) as n from done').get()).toEqual({ n: 25 });
  expect(file.prepare('select count(*) as n from claims').get()).toEqual({ n: 0 });
  file.close();
});
