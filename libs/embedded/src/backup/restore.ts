import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { eraseAgain, knownErasures, type ErasureRequest } from '@meterflow/service';
import { FatalError, silentTelemetry } from '@meterflow/stage';
import { dataDirectory } from '../data-directory.ts';
import { erasablePlaces } from '../erase/erasable-places.ts';
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
  const erasures = await erasedAgain(partial, erasuresOf);
  rmSync(root, { recursive: true, force: true });
  renameSync(partial, root);
  return { manifest, erasures };
}

async function erasedAgain(root: string, erasuresOf: string | undefined): Promise<number> {
  const later = erasuresOf === undefined ? [] : await erasuresIn(erasuresOf);
  // One that never registered anything has nothing to erase, and gets no registry by this.
  if (later.length === 0 && !existsSync(dataDirectory(root).state('registry'))) {
    return 0;
  }
  const platform = openEmbeddedPlatform({ root, owner: 'restore', telemetry: silentTelemetry });
  try {
    return await eraseAgain(erasablePlaces(platform), later);
  } finally {
    await platform.close();
  }
}

async function erasuresIn(directory: string): Promise<readonly ErasureRequest[]> {
  const file = dataDirectory(directory).state('registry');
  if (!existsSync(file)) {
    throw new FatalError(`${file} is missing: nobody can tell what was erased.`);
  }
  const registry = new EmbeddedRegistry(file);
  try {
    return await knownErasures(registry);
  } finally {
    registry.disconnect();
  }
}
