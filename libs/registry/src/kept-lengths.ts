import { z } from 'zod';
import { IntervalLengths, noIntervalLengths } from './interval-lengths.ts';
import { fromLength, LengthPage, lengthSchema, toLength, type RegisteredLength } from './length-page.ts';
import { LengthPages, LengthPagesBuilder } from './length-pages.ts';
import { UnreadableEntryError } from './parse-entry.ts';
import { RevisionConflictError, type Registry } from './registry.ts';
import type { SeriesRegistry } from './series-registry.ts';

/** Pages that are written or read at the same time: some 50 kB each. */
const pagesAtOnceMax = 16;

const periodsSchema = z.array(z.tuple([z.number(), z.number().nullable()]));
const headSchema = z.object({ fallback: lengthSchema.optional(), pages: z.array(z.string()) });
/** What builds wrote that kept all lengths in one entry. */
const formerSchema = z.object({
  fallback: z.number().optional(),
  own: z.array(z.tuple([z.number(), z.array(z.string())])),
  fallbackChanging: periodsSchema.optional(),
  changing: z.array(z.tuple([z.string(), periodsSchema])).optional(),
});

/**
 * Registered interval lengths under versions: what once was the newest is found again, whatever is registered now. A
 * source that began under them is so resumed under them. Costs an entry, and one for each page of lengths that is not
 * like before, for each change that a source came in after.
 */
export class KeptLengths {
  readonly #registry: Registry;
  readonly #series: Pick<SeriesRegistry, 'lengths'>;
  readonly #kept = new WeakSet<IntervalLengths | LengthPage>();

  constructor(ports: { readonly registry: Registry; readonly series: Pick<SeriesRegistry, 'lengths'> }) {
    this.#registry = ports.registry;
    this.#series = ports.series;
  }

  /** As they are now, no older than a snapshot; kept durably under their version when this resolves. */
  async newest(tenant: string): Promise<IntervalLengths> {
    const lengths = await this.#series.lengths(tenant);
    if (lengths.version !== '' && !this.#kept.has(lengths)) {
      await this.#keep(tenant, lengths);
      this.#kept.add(lengths);
    }
    return lengths;
  }

  /** As they were under this version; undefined where they are gone. */
  async at(tenant: string, version: string): Promise<IntervalLengths | undefined> {
    if (version === '') {
      return noIntervalLengths;
    }
    const entry = await this.#registry.get('setting', lengthsEntry(tenant, version));
    try {
      return entry === undefined ? undefined : await this.#read(tenant, entry.value);
    } catch (error) {
      if (error instanceof z.ZodError) {
        throw new UnreadableEntryError(`the registry's interval lengths ${version} can't be read: ${String(error)}`, {
          cause: error,
        });
      }
      throw error;
    }
  }

  /** The pages first: whoever finds the head finds them. */
  async #keep(tenant: string, { fallback, own, version }: IntervalLengths): Promise<void> {
    const missing = own.pages.filter((page) => !this.#kept.has(page));
    for (let from = 0; from < missing.length; from += pagesAtOnceMax) {
      const some = missing.slice(from, from + pagesAtOnceMax);
      // What is there already is the same: its name is its content.
      await this.#registry.putAll(
        'setting',
        some.map((page) => ({ name: pageEntry(tenant, page.digest), value: page.toJSON(), expectedRevision: 0 })),
      );
      some.forEach((page) => this.#kept.add(page));
    }
    const pages = own.pages.map(({ digest }) => digest);
    const value = { ...(fallback === undefined ? {} : { fallback: fromLength(fallback) }), pages };
    try {
      await this.#registry.put('setting', lengthsEntry(tenant, version), { value, expectedRevision: 0 });
    } catch (error) {
      if (!(error instanceof RevisionConflictError)) {
        throw error;
      }
    }
  }

  /** Undefined where a page is gone. Throws ZodError. */
  async #read(tenant: string, value: unknown): Promise<IntervalLengths | undefined> {
    const former = formerSchema.safeParse(value);
    if (former.success) {
      return ofFormer(former.data);
    }
    const { fallback, pages: digests } = headSchema.parse(value);
    const pages: LengthPage[] = [];
    for (let from = 0; from < digests.length; from += pagesAtOnceMax) {
      const some = digests.slice(from, from + pagesAtOnceMax);
      const found = await Promise.all(some.map((digest) => this.#registry.get('setting', pageEntry(tenant, digest))));
      pages.push(...found.flatMap((entry) => (entry === undefined ? [] : [LengthPage.parse(entry.value)])));
    }
    return pages.length < digests.length
      ? undefined
      : new IntervalLengths(fallback === undefined ? undefined : toLength(fallback), new LengthPages(pages));
  }
}

async function ofFormer(former: z.infer<typeof formerSchema>): Promise<IntervalLengths> {
  const { fallback, own, fallbackChanging, changing = [] } = former;
  const builder = new LengthPagesBuilder();
  own.forEach(([intervalMs, paths]) => {
    paths.forEach((path) => {
      builder.add(path, intervalMs);
    });
  });
  changing.forEach(([path, periods]) => {
    builder.add(path, toLength(periods));
  });
  const changingFallback: RegisteredLength | undefined =
    fallbackChanging === undefined ? undefined : toLength(fallbackChanging);
  return new IntervalLengths(changingFallback ?? fallback, await builder.build());
}

function lengthsEntry(tenant: string, version: string): string {
  return `${tenant}/interval-lengths/${version}`;
}

function pageEntry(tenant: string, digest: string): string {
  return `${tenant}/interval-length-pages/${digest}`;
}
