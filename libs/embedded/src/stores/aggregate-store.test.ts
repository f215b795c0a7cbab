import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeAggregateStore } from '@meterflow/idempotent-writes/testing';
import { openAggregateStore } from './aggregate-store.ts';

describeAggregateStore(
  'EmbeddedAggregateStore',
  () => {
    const root = mkdtempSync(join(tmpdir(), 'meterflow-aggregates-'));
    const store = openAggregateStore({ file: join(root, 'aggregates.sqlite') });
    return Promise.resolve({
      store,
      close: () => {
        store.close();
        rmSync(root, { recursive: true });
        return Promise.resolve();
      },
    });
  },
  { runs: 15 },
);
