import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeAdmission } from '@meterflow/http/testing';
import { expect, test } from 'vitest';
import { IngestStand } from './testing/ingest-stand.ts';

const root = await mkdtemp(join(tmpdir(), 'ingest-'));
const stand = new IngestStand(root, {});
const { routes, localRoutes } = stand.ingest;

describeAdmission('ingest', {
  routes: localRoutes,
  make: async () => ({
    server: stand.server,
    keys: {
      provider: await stand.key('acme', 'provider'),
      customer: await stand.key('acme', 'customer'),
      operator: await stand.key('acme', 'operator'),
    },
    close: async () => {
      await stand.close();
      await rm(root, { recursive: true, force: true });
    },
  }),
});

test('imports by path are for the owner of the data directory alone', () => {
  const paths = (of: typeof routes): string[] => of.map(({ method, path }) => `${method} ${path}`).sort();
  expect(paths(localRoutes)).toEqual([...paths(routes), 'POST /v1/imports'].sort());
});
