import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeRegistry } from '@meterflow/registry/testing';
import { EmbeddedRegistry } from './registry.ts';

describeRegistry('the embedded store', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'registry-'));
  const opened: EmbeddedRegistry[] = [];
  return {
    open() {
      const registry = new EmbeddedRegistry(join(directory, 'state', 'registry.sqlite'));
      opened.push(registry);
      return registry;
    },
    async close() {
      opened.forEach((registry) => {
        registry.disconnect();
      });
      await rm(directory, { recursive: true });
    },
  };
});
