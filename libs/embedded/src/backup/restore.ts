import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Registry } from '@meterflow/registry';
import { FatalError, silentTelemetry } from '@meterflow/stage';
import { z } from 'zod';
import { dataDirectory } from '../data-directory.ts';
import { eraseEverywhere, type ErasureRequest } from '../erase/erase-everywhere.ts';
import { openEmbeddedPlatform } from '../open-platform.ts';
import { EmbeddedRegistry } from '../state/registry.ts';
import { verifiedManifest, type Manifest } from './manifest.ts';

export interface RestoreRequest {
  /** The backup. */
  readonly from: string;
  /** The data directory to be; empty or not there yet. */
  readonly root: string;
  /**
   * A later backup or data directory, as far as there is one: what was erased since `from` was made is erased again.
   * Only its registry is read.
   */
  readonly erasuresOf?: string;
}

export interface Restored {
  readonly manifest: Manifest;
  /** How many erasures were applied. */
  readonly erasures: number;
}

const entry = z.object({
  tenant: z.string(),
  meter: z.string().optional(),
  channel: z.string().optional(),
  upToMs: z.number(),
});
const pageMax = 1_000;

/** Makes a data directory of a backup. Every erasure that is known is applied before it is there for anyone. */
export async function restore({ from, root, erasuresOf }: RestoreRequest): Promise<Restored> {
  if (existsSync(root) && readdirSync(root).length > 0) {
    throw new FatalError(`${root} is not empty. A backup is restored into a new data directory.`);
  }
  const manifest = await verifiedManifest(from);
  const partial = `${root.replace(/\/+$/, '')}.restoring`;
  rmSync(partial, { recursive: true, force: true });
  for (const { path } of manifest.files) {
    mkdirSync(dirname(join(partial, path)), { recursive: true, mode: 0o700 });
    copyFileSync(join(from, path), join(partial, path));
  }
  const erasures = await eraseAgain(partial, erasuresOf);
  rmSync(root, { recursive: true, force: true });
  renameSync(partial, root);
  return { manifest, erasures };
}

async function eraseAgain(root: string, erasuresOf: string | undefined): Promise<number> {
  // One that never registered anything has none.
  const known = existsSync(dataDirectory(root).state('registry')) ? await erasuresIn(root) : [];
  const later = erasuresOf === undefined ? [] : await erasuresIn(erasuresOf);
  const requests = new Map([...known, ...later].map((each) => [`${each.tenant}/${each.upToMs}-${each.id}`, each]));
  const platform = openEmbeddedPlatform({ root, owner: 'restore', telemetry: silentTelemetry });
  try {
    for (const request of requests.values()) {
      await eraseEverywhere(platform, request);
    }
  } finally {
    await platform.close();
  }
  return requests.size;
}

async function erasuresIn(directory: string): Promise<readonly ErasureRequest[]> {
  const file = dataDirectory(directory).state('registry');
  if (!existsSync(file)) {
    throw new FatalError(`${file} is missing: nobody can tell what was erased.`);
  }
  const registry = new EmbeddedRegistry(file);
  try {
    return await allErasures(registry);
  } finally {
    registry.disconnect();
  }
}

async function allErasures(registry: Registry): Promise<readonly ErasureRequest[]> {
  const requests: ErasureRequest[] = [];
  for (let after: string | undefined; ;) {
    const page = await registry.list('erasure', {
      prefix: '',
      limit: pageMax,
      ...(after === undefined ? {} : { after }),
    });
    requests.push(...page.map(({ name, value }) => requestOf(name, value)));
    after = page.at(-1)?.name;
    if (page.length < pageMax) {
      return requests;
    }
  }
}

function requestOf(name: string, value: unknown): ErasureRequest {
  const { tenant, meter, channel, upToMs } = entry.parse(value);
  const id = name.slice(name.lastIndexOf('-') + 1);
  const series = meter === undefined ? {} : { series: { meter, ...(channel === undefined ? {} : { channel }) } };
  return { tenant, upToMs, id, ...series };
}
