import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeReadingStore } from '@meterflow/idempotent-writes/testing';
import { openReadingStore } from './reading-store.ts';

describeReadingStore(
  'EmbeddedReadingStore',
  (layer) => {
    const root = mkdtempSync(join(tmpdir(), 'meterflow-readings-'));
    const store = openReadingStore({ file: join(root, 'stores', 'raw.sqlite'), layer });
    return Promise.resolve({
      store,
      close: () => {
        store.close();
        rmSync(root, { recursive: true });
        return Promise.resolve();
      },
    });
  },
  { runs: 20 },
);
