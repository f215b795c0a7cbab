import { describeContributionStore } from '@meterflow/idempotent-writes/testing';
import { withEmulator } from '../testing/temporary-stores.ts';

withEmulator('contributions', (emulator) => {
  describeContributionStore(
    'Bigtable',
    async () => {
      const stores = await emulator.open({ only: ['contributions'] });
      return { store: stores.contributions, erasable: stores.contributions, close: () => stores.close() };
    },
    { runs: 15 },
  );
});
