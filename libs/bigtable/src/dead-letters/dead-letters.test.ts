import { describeLetterErasure } from '@meterflow/contracts/testing';
import { describeDeadLetterStore } from '@meterflow/stage/testing';
import { withEmulator } from '../testing/temporary-stores.ts';

withEmulator('dead letters', (emulator) => {
  describeDeadLetterStore('Bigtable', async () => {
    const stores = await emulator.open({ only: ['dead_letters', 'ledger'] });
    return {
      letters: stores.deadLetters,
      reopen: () => Promise.resolve(emulator.reopen(stores).deadLetters),
      close: () => stores.close(),
    };
  });
});

withEmulator('erasure of dead letters', (emulator) => {
  describeLetterErasure('Bigtable', async () => {
    const stores = await emulator.open({ only: ['dead_letters', 'ledger'] });
    return {
      letters: stores.deadLetters,
      reopen: () => Promise.resolve(emulator.reopen(stores).deadLetters),
      close: () => stores.close(),
    };
  });
});
