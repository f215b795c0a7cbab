import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeReadingHistory, describeReadingStore } from '@meterflow/idempotent-writes/testing';
import type { Layer } from '@meterflow/readings';
import { openReadingStore, type EmbeddedReadingStore } from './reading-store.ts';

function open(layer: Layer): Promise<{ store: EmbeddedReadingStore; close: () => Promise<void> }> {
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
}

describeReadingStore('EmbeddedReadingStore', open, { runs: 20 });
describeReadingHistory('EmbeddedReadingStore', open);
