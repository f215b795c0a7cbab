import { expect, test } from 'vitest';
import { inputsOf } from './inputs-of.ts';

const caused = (...keys: string[]) => ({
  causes: keys.map((key) => ({ sourceId: 's', key, part: 0, parts: 1 })),
});

test('a message is made of the inputs that brought its causes', () => {
  const inputs = [caused('a', 'b'), caused('c'), caused('d')];
  expect(inputsOf([caused('c'), caused('b', 'a', 'd'), caused('x'), caused()], inputs)).toEqual([[1], [0, 2], [], []]);
});
