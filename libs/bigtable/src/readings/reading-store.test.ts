import { describeReadingHistory, describeReadingStore } from '@meterflow/idempotent-writes/testing';
import { withEmulator } from '../testing/temporary-stores.ts';

withEmulator('readings', (emulator) => {
  // Undisturbed, the outcomes are exact too.
  describeReadingStore(
    'Bigtable',
    async (layer) => {
      const stores = await emulator.open({ only: ['readings', 'ledger'] });
      return { store: stores.readings(layer), close: () => stores.close() };
    },
    { runs: 20 },
  );
  describeReadingHistory('Bigtable', async (layer) => {
    const stores = await emulator.open({ only: ['readings', 'ledger'] });
    return { store: stores.readings(layer), close: () => stores.close() };
  });
});
