import { describeRegistry } from '@meterflow/registry/testing';
import { withEmulator } from '../testing/temporary-stores.ts';

withEmulator('the registry', (emulator) => {
  describeRegistry('Bigtable', async () => {
    const stores = await emulator.open({ only: ['registry'] });
    return { open: () => emulator.reopen(stores).registry, close: () => stores.close() };
  });
});
