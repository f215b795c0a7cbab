import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeRegistry } from '@meterflow/registry/testing';
import { FatalError } from '@meterflow/stage';
import { expect, test } from 'vitest';
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

test('a registry that is damaged within is refused when it is opened, by name', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'registry-'));
  const file = join(directory, 'registry.sqlite');
  const registry = new EmbeddedRegistry(file);
  for (let index = 0; index < 100; index++) {
    await registry.put('tenant', `t${index}`, { value: 'x'.repeat(500), expectedRevision: 0 });
  }
  registry.disconnect();
  const bytes = await readFile(file);
  await writeFile(file, bytes.fill(0x5a, 8_192, 16_384));
  expect(() => new EmbeddedRegistry(file)).toThrow(FatalError);
  expect(() => new EmbeddedRegistry(file)).toThrow(`${file} is damaged`);
  await rm(directory, { recursive: true });
});
