import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeSources, describeUploads } from '@meterflow/receipts/testing';
import { EmbeddedSources } from './sources.ts';
import { EmbeddedUploads } from './uploads.ts';

const newId = (): string => randomBytes(10).toString('hex');

describeSources('the embedded store', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sources-'));
  const opened: EmbeddedSources[] = [];
  return {
    open(options) {
      const sources = new EmbeddedSources(join(directory, 'state', 'sources.sqlite'), { ...options, newId });
      opened.push(sources);
      return sources;
    },
    async close() {
      opened.forEach((sources) => {
        sources.disconnect();
      });
      await rm(directory, { recursive: true });
    },
  };
});

describeUploads('the embedded store', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'uploads-'));
  const uploads = join(directory, 'uploads');
  return {
    open: () => new EmbeddedUploads(uploads, { newId }),
    count: async () => (await readdir(uploads).catch(() => [])).length,
    close: () => rm(directory, { recursive: true }),
  };
});
