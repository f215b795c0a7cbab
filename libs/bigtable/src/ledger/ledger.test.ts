import { describeLedger, freshKey } from '@meterflow/idempotent-writes/testing';
import { deadLetter } from '@meterflow/stage/testing';
import { withEmulator } from '../testing/temporary-stores.ts';

withEmulator('the ledger', (emulator) => {
  describeLedger('Bigtable', async () => {
    const stores = await emulator.open({ only: ['readings', 'aggregates', 'ledger', 'dead_letters'] });
    return {
      ledger: stores.ledger,
      raw: stores.readings('raw'),
      validated: stores.readings('validated'),
      aggregates: stores.aggregates,
      fail: ({ state, causes, layers }) => {
        const key = freshKey();
        return stores.deadLetters.put([deadLetter(1, { id: `stage/${key}`, key, state, causes, layers })]);
      },
      close: () => stores.close(),
    };
  });
});
