import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeLedger, freshKey } from '@meterflow/idempotent-writes/testing';
import { openDeadLetters } from '../bus/dead-letters.ts';
import { dataDirectory } from '../data-directory.ts';
import { openAggregateStore } from './aggregate-store.ts';
import { openLedger } from './ledger.ts';
import { openReadingStore } from './reading-store.ts';

describeLedger('EmbeddedLedger', () => {
  const root = mkdtempSync(join(tmpdir(), 'meterflow-ledger-'));
  const directory = dataDirectory(root);
  const ledger = openLedger({ directory });
  const raw = openReadingStore({ file: directory.store('raw'), layer: 'raw' });
  const validated = openReadingStore({ file: directory.store('validated'), layer: 'validated' });
  const aggregates = openAggregateStore({ file: directory.store('aggregates') });
  const deadLetters = openDeadLetters({ directory });
  return Promise.resolve({
    ledger,
    raw,
    validated,
    aggregates,
    fail: ({ state, causes, layers }) => {
      const key = freshKey();
      const failure = { state, causes, layers, key, id: `stage/${key}`, stage: 'stage', subscription: 'stage.live' };
      const rest = {
        tenant: 'acme',
        reasonCode: 'broken',
        reason: 'broken',
        payload: new Uint8Array(1),
        attributes: {},
      };
      return deadLetters.put([{ ...failure, ...rest, atMs: 1 }]);
    },
    close: () => {
      [ledger, raw, validated, aggregates, deadLetters].forEach((part) => {
        part.close();
      });
      rmSync(root, { recursive: true });
      return Promise.resolve();
    },
  });
});
