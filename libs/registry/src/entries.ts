import { setImmediate } from 'node:timers/promises';
import type { Registry, RegistryEntry, RegistryKind } from './registry.ts';

const pageEntries = 500;

/** All entries of a prefix, page by page; between two everybody else has their turn, since there may be millions of series. */
export async function* entries(
  registry: Registry,
  kind: RegistryKind,
  prefix: string,
): AsyncGenerator<RegistryEntry<unknown>> {
  let after: string | undefined;
  for (;;) {
    const page = await registry.list(kind, { prefix, limit: pageEntries, ...(after === undefined ? {} : { after }) });
    yield* page;
    after = page.at(-1)?.name;
    if (page.length < pageEntries || after === undefined) {
      return;
    }
    await setImmediate();
  }
}
