import type { Sources } from '@meterflow/receipts';
import { FatalError, TransientError } from '@meterflow/stage';
import { expect, test } from 'vitest';
import { fatalWatched } from './fatal-watch.ts';
import { IngestStand } from './testing/ingest-stand.ts';

test('a store that can not be used any more is told of, and its callers as before', async () => {
  const told: string[] = [];
  class Store {
    readonly #kept = 7;
    async get(error?: Error): Promise<number> {
      await Promise.resolve();
      if (error !== undefined) {
        throw error;
      }
      return this.#kept;
    }
  }
  const store = fatalWatched(new Store(), ({ message }) => told.push(message));
  expect(await store.get()).toBe(7);
  await expect(store.get(new TransientError('busy'))).rejects.toThrow('busy');
  expect(told).toEqual([]);
  await expect(store.get(new FatalError('damaged'))).rejects.toThrow('damaged');
  expect(told).toEqual(['damaged']);
});

test('whoever imports over a store that is damaged is told at once what to do', async () => {
  const reason = 'state/sources.sqlite is damaged. Restore it from a backup; it was left as it is.';
  const sources = { acceptedOn: () => Promise.reject(new FatalError(reason)) } as unknown as Sources;
  const stand = await IngestStand.open({ ports: { sources } });
  try {
    const answer = await fetch(`${stand.url}/v1/imports`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await stand.key('acme', 'operator')}`, 'content-type': 'application/json' },
      body: JSON.stringify({ path: '/readings.csv' }),
    });
    // Not 503, which would ask for patience.
    expect([answer.status, await answer.json()]).toEqual([500, expect.objectContaining({ detail: reason })]);
  } finally {
    await stand.close();
  }
});
