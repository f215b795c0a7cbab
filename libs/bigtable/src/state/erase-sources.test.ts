import { describeSourceErasure } from '@meterflow/receipts/testing';
import { withEmulator } from '../testing/temporary-stores.ts';

withEmulator('erasure of receipts', (emulator) => {
  describeSourceErasure('Bigtable', async () => {
    const stores = await emulator.open({ only: ['sources', 'counters'] });
    return { open: (ports) => emulator.reopen(stores).sources(ports), close: () => stores.close() };
  });
});
