import { createHash } from 'node:crypto';
import type { SeriesName } from '@meterflow/readings';
import { z } from 'zod';
import { changeEntry } from './change-entry.ts';
import { entries } from './entries.ts';
import { parseEntry } from './parse-entry.ts';
import { RevisionConflictError, type Registry } from './registry.ts';
import { seriesPath } from './series-path.ts';

/** Entries that are read at the same time. */
const atOnceMax = 64;
/** So many series one entry names. */
const pageSeriesMax = 5_000;
/** So many characters of a hash name a series: 96 bits. The names themselves are nobody's business once they are refused. */
const hashChars = 16;

const headSchema = z.object({ content: z.string(), pages: z.number() });
const pageSchema = z.object({ series: z.array(z.string()) });

/** Series that are not registered. */
export interface UnknownNames {
  readonly size: number;
  has(series: SeriesName): boolean;
}

/**
 * Which series of a delivery were not registered when it came, for tenants that refuse those. Fixed durably before its
 * first batch, so that a resume makes the same batches, whatever was registered meanwhile; forgotten when it is closed.
 */
export class UnknownSeries {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** Those of the names that are not registered; the first call for a delivery decides. */
  async fix(tenant: string, sourceId: string, names: readonly SeriesName[]): Promise<UnknownNames> {
    const hashes = (await this.#unregistered(tenant, names)).map(hashOf).sort();
    if (hashes.length === 0) {
      return noneUnknown;
    }
    // The pages first, under a name that tells their content: two that fix at once do not mix theirs.
    const content = textHash(hashes.join());
    const pages = Math.ceil(hashes.length / pageSeriesMax);
    for (let page = 0; page < pages; page++) {
      const series = hashes.slice(page * pageSeriesMax, (page + 1) * pageSeriesMax);
      const name = `${headName(tenant, sourceId)}/${content}/${page}`;
      await changeEntry(this.#registry, { kind: 'setting', name }, () => ({ series }));
    }
    const head = { kind: 'setting', name: headName(tenant, sourceId) } as const;
    await changeEntry(this.#registry, head, (entry) =>
      entry === undefined ? { content, pages } : parseEntry(headSchema, entry),
    );
    return (await this.of(tenant, sourceId)) ?? noneUnknown;
  }

  /** What was fixed for a delivery; undefined where nothing was, since all its series were registered, or it was not read. */
  async of(tenant: string, sourceId: string): Promise<UnknownNames | undefined> {
    const entry = await this.#registry.get('setting', headName(tenant, sourceId));
    if (entry === undefined) {
      return undefined;
    }
    const { content, pages } = parseEntry(headSchema, entry);
    const known = new Set<string>();
    for (let page = 0; page < pages; page++) {
      const found = await this.#registry.get('setting', `${headName(tenant, sourceId)}/${content}/${page}`);
      (found === undefined ? [] : parseEntry(pageSchema, found).series).forEach((hash) => known.add(hash));
    }
    return { size: known.size, has: (series) => known.has(hashOf(series)) };
  }

  /** Called when the delivery is closed: nobody resumes it any more. */
  async forget(tenant: string, sourceId: string): Promise<void> {
    const head = headName(tenant, sourceId);
    const found = await this.#registry.get('setting', head);
    for await (const { name, revision } of entries(this.#registry, 'setting', `${head}/`)) {
      await this.#remove(name, revision);
    }
    await this.#remove(head, found?.revision ?? 0);
  }

  /** Another who closes the same delivery may have been quicker. */
  async #remove(name: string, revision: number): Promise<void> {
    if (revision > 0) {
      await this.#registry.remove('setting', name, revision).catch((error: unknown) => {
        if (!(error instanceof RevisionConflictError)) {
          throw error;
        }
      });
    }
  }

  async #unregistered(tenant: string, names: readonly SeriesName[]): Promise<readonly SeriesName[]> {
    const missing: SeriesName[] = [];
    for (let from = 0; from < names.length; from += atOnceMax) {
      const some = names.slice(from, from + atOnceMax);
      const found = await Promise.all(
        some.map(({ meter, channel }) => this.#registry.get('series', `${tenant}/${seriesPath(meter, channel)}`)),
      );
      missing.push(...some.filter((_, index) => found[index] === undefined));
    }
    return missing;
  }
}

export const noneUnknown: UnknownNames = { size: 0, has: () => false };

function headName(tenant: string, sourceId: string): string {
  return `${tenant}/unknown-series/${sourceId}`;
}

function hashOf({ meter, channel }: SeriesName): string {
  return textHash(seriesPath(meter, channel));
}

function textHash(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, hashChars);
}
