import { describeAggregateStore } from '@meterflow/idempotent-writes/testing';
import { withEmulator } from '../testing/temporary-stores.ts';

withEmulator('aggregates', (emulator) => {
  describeAggregateStore(
    'Bigtable',
    async () => {
      const stores = await emulator.open({ only: ['aggregates', 'ledger'] });
      return { store: stores.aggregates, close: () => stores.close() };
    },
    { runs: 15 },
  );
});
