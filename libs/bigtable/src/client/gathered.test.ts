import { expect, test } from 'vitest';
import { Gathered } from './gathered.ts';

function doubling(weightMax = 100): { gathered: Gathered<number, number>; calls: number[][] } {
  const calls: number[][] = [];
  const gathered = new Gathered<number, number>(
    (asked) => {
      calls.push([...asked]);
      return asked.includes(13) ? Promise.reject(new Error('no')) : Promise.resolve(asked.map((one) => one * 2));
    },
    { weightMax, weightOf: (asked) => asked },
  );
  return { gathered, calls };
}

test('what is asked for at the same time goes together, and each gets its own answer', async () => {
  const { gathered, calls } = doubling();
  expect(await Promise.all([3, 1, 2].map((one) => gathered.ask(one)))).toEqual([6, 2, 4]);
  expect(await gathered.ask(5)).toBe(10);
  expect(calls).toEqual([[3, 1, 2], [5]]);
});

test('lanes that ask again as their answers come go together again', async () => {
  const { gathered, calls } = doubling();
  const lane = async (): Promise<void> => {
    await gathered.ask(1);
    await gathered.ask(2);
  };
  await Promise.all([lane(), lane(), lane()]);
  expect(calls).toEqual([
    [1, 1, 1],
    [2, 2, 2],
  ]);
});

test('a call takes no more than its weight, but always something', async () => {
  const { gathered, calls } = doubling(10);
  await Promise.all([6, 4, 1, 50, 2].map((one) => gathered.ask(one)));
  expect(calls).toEqual([[6, 4], [1], [50], [2]]);
});

test('all that went together hear of its failure, and the next call goes ahead', async () => {
  const { gathered } = doubling();
  const outcomes = await Promise.allSettled([1, 13].map((one) => gathered.ask(one)));
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await gathered.ask(4)).toBe(8);
});
