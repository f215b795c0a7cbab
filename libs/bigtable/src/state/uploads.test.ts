import { describeUploads } from '@meterflow/receipts/testing';
import { under } from '../rows/key-hash.ts';
import { tables } from '../schema.ts';
import { firstCellOnly } from '../wire/row-filter.ts';
import { withEmulator } from '../testing/temporary-stores.ts';

withEmulator('uploads', (emulator) => {
  describeUploads('Bigtable', async () => {
    const stores = await emulator.open({ only: ['uploads'] });
    return {
      open: () => emulator.reopen(stores).uploads,
      count: async () => {
        const names = new Set<string>();
        const table = stores.table(tables.uploads.name);
        for (const prefix of ['head\0', 'piece\0']) {
          for await (const { key } of table.scan(under(Buffer.from(prefix)), firstCellOnly, 100)) {
            names.add(key.toString().split('\0')[1]!);
          }
        }
        return names.size;
      },
      close: () => stores.close(),
    };
  });
});
