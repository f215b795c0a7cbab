import { describeLetterErasure } from '@meterflow/contracts/testing';
import { TemporaryBus } from '../testing/temporary-bus.ts';
import { openDeadLetters, type DeadLetters } from './dead-letters.ts';

// eslint-disable-next-line @typescript-eslint/require-await -- all of it is done at once
describeLetterErasure('SQLite', async () => {
  const temporary = new TemporaryBus();
  const opened: DeadLetters[] = [];
  const open = (): DeadLetters => {
    const letters = openDeadLetters(temporary);
    opened.push(letters);
    return letters;
  };
  return {
    letters: open(),
    oneAtATime: true,
    reopen: () => Promise.resolve(open()),
    close: async () => {
      opened.forEach((letters) => {
        letters.close();
      });
      await temporary.remove();
    },
  };
});
