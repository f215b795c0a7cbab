import { expect, test } from 'vitest';
import { repeated } from './repeated.ts';

test('work is done again and again, never twice at once, and not after the stop', async () => {
  let running = 0;
  let most = 0;
  const turns = Promise.withResolvers<undefined>();
  let ended = 0;
  const work = repeated(async () => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((wake) => setTimeout(wake, 5));
    running -= 1;
    ended += 1;
    if (ended === 3) {
      turns.resolve(undefined);
    }
  }, 1);
  await turns.promise;
  await work.stop();
  const done = ended;
  await new Promise((wake) => setTimeout(wake, 20));
  expect({ running, most, ended }).toEqual({ running: 0, most: 1, ended: done });
});
