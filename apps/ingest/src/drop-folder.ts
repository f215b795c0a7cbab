import { lstat, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dirent, Stats } from 'node:fs';
import { Problem } from '@meterflow/http';
import type { Tenants } from '@meterflow/registry';
import type { Clock, Telemetry } from '@meterflow/stage';
import { takeDropped, type DroppedFile, type DropDoor } from './dropped-file.ts';
import { dropFilesPerLookMax, dropLookEveryMs, dropQuotaRetryMsMax, dropRetryMs, dropSteadyMs } from './limits.ts';
import { InterruptedError } from './attempt.ts';

export interface DropFolderOptions {
  /** Holds a folder for each tenant. Made when it is not there. */
  readonly directory: string;
  readonly tenants: Pick<Tenants, 'get'>;
  readonly door: DropDoor;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

interface Seen {
  readonly signature: string;
  readonly sinceMs: number;
}

/** Ends of names that senders give to what they still write. */
const unfinishedName = /\.(part|partial|tmp|filepart|crdownload)$/i;

/**
 * The folders in which providers drop files: `<directory>/<tenant>/<file>`. A file that stays as it is, or that was
 * renamed from `*.part`, is imported and then moved to `done/` or `rejected/` beside it, with its receipt. Only regular
 * files are looked at; no link is followed. One process looks at a time.
 */
export class DropFolder {
  readonly #options: DropFolderOptions;
  #seen = new Map<string, Seen>();
  /** Inodes that had a name of something unfinished at the last look. */
  #unfinished = new Set<string>();
  readonly #unknownTenants = new Set<string>();
  readonly #waitUntilMs = new Map<string, number>();

  constructor(options: DropFolderOptions) {
    this.#options = options;
  }

  /** Looks again and again until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, telemetry } = this.#options;
    while (!signal.aborted) {
      try {
        await this.look();
      } catch (error) {
        telemetry.logger.warn('the drop folder can not be looked at; it is tried again', { error });
      }
      await clock.sleep(dropLookEveryMs, signal);
    }
  }

  /** One look: takes what is ready. Returns how many files were moved. */
  async look(): Promise<number> {
    const { directory } = this.#options;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const found: DroppedFile[] = [];
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      if (entry.isDirectory() && (await this.#isKnown(entry.name))) {
        await this.#find(entry.name, found);
      }
    }
    let moved = 0;
    for (const file of this.#ready(found)) {
      moved += (await this.#take(file)) ? 1 : 0;
    }
    return moved;
  }

  async #isKnown(tenant: string): Promise<boolean> {
    if ((await this.#options.tenants.get(tenant)) !== undefined) {
      this.#unknownTenants.delete(tenant);
      return true;
    }
    if (!this.#unknownTenants.has(tenant) && this.#unknownTenants.size < dropFilesPerLookMax) {
      this.#unknownTenants.add(tenant);
      const hint = 'create it with: meterflow tenants create';
      this.#options.telemetry.logger.warn('a drop folder has the name of no tenant; left alone', {
        folder: tenant,
        hint,
      });
    }
    return false;
  }

  async #find(tenant: string, found: DroppedFile[]): Promise<void> {
    const folder = join(this.#options.directory, tenant);
    const entries: readonly Dirent[] = await readdir(folder, { withFileTypes: true });
    for (const { name } of entries.filter((entry) => entry.isFile() && !entry.name.startsWith('.'))) {
      if (found.length >= dropFilesPerLookMax) {
        return;
      }
      const stats = await lstat(join(folder, name)).catch(gone);
      // An empty one may be what a sender is about to write into.
      if (stats?.isFile() === true && stats.size > 0) {
        found.push({ tenant, folder, name, stats });
      }
    }
  }

  /** Those that stopped growing, in the order of their names. Remembers what was seen for the next look. */
  #ready(found: readonly DroppedFile[]): readonly DroppedFile[] {
    const nowMs = this.#options.clock.nowMs();
    const seen = new Map<string, Seen>();
    const unfinished = new Set<string>();
    const ready = found.filter(({ folder, name, stats }) => {
      if (unfinishedName.test(name)) {
        unfinished.add(inodeOf(stats));
        return false;
      }
      const path = join(folder, name);
      const before = this.#seen.get(path);
      const signature = signatureOf(stats);
      const sinceMs = before?.signature === signature ? before.sinceMs : nowMs;
      seen.set(path, { signature, sinceMs });
      const isSteady = nowMs - sinceMs >= dropSteadyMs || this.#unfinished.has(inodeOf(stats));
      return isSteady && (this.#waitUntilMs.get(path) ?? 0) <= nowMs;
    });
    this.#seen = seen;
    this.#unfinished = unfinished;
    for (const path of this.#waitUntilMs.keys()) {
      if (!seen.has(path)) {
        this.#waitUntilMs.delete(path);
      }
    }
    return ready.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async #take(file: DroppedFile): Promise<boolean> {
    const { clock, telemetry, door } = this.#options;
    const path = join(file.folder, file.name);
    try {
      return await takeDropped({ ...file, delivery: signatureOf(file.stats) }, door);
    } catch (error) {
      if (error instanceof InterruptedError) {
        return false;
      }
      this.#waitUntilMs.set(path, clock.nowMs() + waitMsAfter(error));
      const { tenant, name } = file;
      telemetry.logger.warn('a dropped file could not be taken; it is tried again', { tenant, name, error });
      return false;
    }
  }
}

/** A quota is looked at again before it is renewed, as it may be raised; seldom, so that the log stays readable. */
function waitMsAfter(error: unknown): number {
  const seconds = error instanceof Problem ? (error.options.retryAfterSeconds ?? 0) : 0;
  return Math.max(dropRetryMs, Math.min(dropQuotaRetryMsMax, seconds * 1_000));
}

function inodeOf({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}

/** Names this file as it is now, whatever its name: also after a crash, and until it is written to. */
function signatureOf(stats: Stats): string {
  return `${inodeOf(stats)}:${stats.size}:${stats.mtimeMs}`;
}

function gone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') {
    throw error;
  }
}
