import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeContributionStore } from '@meterflow/idempotent-writes/testing';
import { openContributionStore } from './contribution-store.ts';

describeContributionStore(
  'EmbeddedContributionStore',
  () => {
    const root = mkdtempSync(join(tmpdir(), 'meterflow-contributions-'));
    const store = openContributionStore({ file: join(root, 'contributions.sqlite') });
    return Promise.resolve({
      store,
      erasable: store,
      close: () => {
        store.close();
        rmSync(root, { recursive: true });
        return Promise.resolve();
      },
    });
  },
  { runs: 25 },
);
