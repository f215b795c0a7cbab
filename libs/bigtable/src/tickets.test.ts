import { describeTickets } from '@meterflow/idempotent-writes/testing';
import { withEmulator } from './testing/temporary-stores.ts';

withEmulator('tickets', (emulator) => {
  describeTickets('Bigtable', async () => {
    const stores = await emulator.open({ only: ['counters'] });
    return {
      tickets: stores.tickets,
      reopen: () => Promise.resolve(emulator.reopen(stores).tickets),
      close: () => stores.close(),
    };
  });
});
