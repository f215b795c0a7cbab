import { expect, test } from 'vitest';
import { placedKeys, shardsPerSubscription } from './placed-keys.ts';

const keys = Array.from({ length: 1_000 }, (_, index) => `s.live/1/tenant/${index.toString(16).padStart(32, '0')}`);

test('one server takes all keys together', () => {
  const groups = placedKeys(keys, false);
  expect(groups).toHaveLength(1);
  expect(groups[0]?.indexes).toEqual(keys.map((_, index) => index));
});

test('in a cluster the keys of a subscription spread evenly over a few slots, each known by its place', () => {
  const groups = placedKeys(keys, true);
  expect(groups).toHaveLength(shardsPerSubscription);
  for (const { names, indexes } of groups) {
    expect(names.length).toBeGreaterThan(keys.length / shardsPerSubscription / 2);
    expect(new Set(names.map((name) => /\{(.*?)\}/.exec(name)?.[1])).size).toBe(1);
    expect(names.map((name) => name.slice(name.indexOf('}') + 1))).toEqual(
      indexes.map((index) => keys[index]?.slice('s.live/'.length)),
    );
  }
  expect(groups.flatMap(({ indexes }) => indexes).toSorted((a, b) => a - b)).toEqual(keys.map((_, index) => index));
});

test('a key has the same name alone and in a cluster, and different keys have different names', () => {
  const alone = placedKeys(keys, false).flatMap(({ names }) => names);
  expect(
    placedKeys(keys, true)
      .flatMap(({ names }) => names)
      .toSorted(),
  ).toEqual(alone.toSorted());
  expect(new Set(alone).size).toBe(keys.length);
  expect(placedKeys(['s/1/a', 't/1/a', 's/2/a', 'a'], false)[0]?.names).toHaveLength(4);
});
