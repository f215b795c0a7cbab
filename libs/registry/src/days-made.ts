import type { SeriesName } from '@meterflow/readings';
import { compareStamps, MadeReadingsBuilder, madeWithin, type MadeReadings, type MadeSpan } from '@meterflow/rules';
import { z } from 'zod';
import { entries } from './entries.ts';
import { parseEntry } from './parse-entry.ts';
import { putsTogetherMax, type Registry, type RegistryEntry } from './registry.ts';
import { seriesOfPath, seriesPath } from './series-path.ts';
import { spansBeside, type Span } from './spans-beside.ts';

const run = z.tuple([z.number(), z.number(), z.number(), z.number()]);
const span = z.object({
  fromMs: z.number(),
  toMs: z.number(),
  activation: z.number(),
  ticket: z.number(),
  atMs: z.number(),
  made: z.array(z.object({ channel: z.string(), runs: z.array(run) })),
});
const schema = z.looseObject({ spans: z.array(span) });

/** When it was written down, too. */
type KeptSpan = MadeSpan & { readonly atMs: number };

/** What is written down of a series, and the entry's revision. */
export interface KnownMade {
  readonly spans: readonly MadeSpan[];
  readonly revision: number;
}

/** What a run made of days of a series, before anybody else hears of it. */
export interface SeriesMade {
  readonly tenant: string;
  readonly series: SeriesName;
  readonly activation: number;
  readonly ticket: number;
  /** The days that it computed whole. */
  readonly days: readonly { readonly fromMs: number; readonly toMs: number }[];
  /** Every reading of these days that it gave or withdrew and nobody sent. */
  readonly made: MadeReadings;
  /** As it was when the run began: all of it that the store did not show is in `made`. */
  readonly known: KnownMade;
}

/** Thrown when another run of the same days, which this one did not know of, stated other readings: it has to run again. */
export class OvertakenError extends Error {
  override readonly name = 'OvertakenError';
}

/**
 * Longer than a message may wait on its subscription, which is 31 days at most: what was made before that is stored, or was
 * lost for good. Dead letters are kept for longer: what is retried of them later than this, nobody knows to withdraw.
 */
export const madeKeptDays = 32;
/** Runs of readings, and spans, in the entry of a series: half a megabyte. */
export const madeRunsMax = 10_000;
const dayMs = 24 * 60 * 60 * 1000;
const attemptsMax = 20;

/**
 * What series flows last made of each day of a series, of readings that nobody sent. A run writes it down before its output
 * leaves, so that a later one withdraws also what is still on its way into the store.
 *
 * The one that counts (by activation, then ticket) has stated all that those before it had, so that whatever of theirs is
 * stored later is shadowed.
 */
export class DaysMade {
  readonly #registry: Registry;
  readonly #nowMs: () => number;

  constructor({ registry, nowMs }: { readonly registry: Registry; readonly nowMs: () => number }) {
    this.#registry = registry;
    this.#nowMs = nowMs;
  }

  /** As it is now, uncached. */
  async of(tenant: string, series: SeriesName): Promise<KnownMade> {
    return knownOf(await this.#registry.get('setting', entryName(tenant, series)));
  }

  /** Durably; one of each series. Idempotent. Throws {@link OvertakenError}: some may be written then. */
  async write(all: readonly SeriesMade[]): Promise<void> {
    for (let from = 0; from < all.length; from += putsTogetherMax) {
      let open = all.slice(from, from + putsTogetherMax).map((made) => ({ made, now: made.known }));
      for (let attempt = 1; open.length > 0; attempt++) {
        if (attempt > attemptsMax) {
          throw new OvertakenError('other runs write down what they make of the same days all the time');
        }
        const late = await this.#put(open);
        const known = await Promise.all(late.map(({ tenant, series }) => this.of(tenant, series)));
        open = late.map((made, index) => ({ made, now: known[index] as KnownMade }));
      }
    }
  }

  /** Those that another one was faster to write. */
  async #put(all: readonly { readonly made: SeriesMade; readonly now: KnownMade }[]): Promise<readonly SeriesMade[]> {
    const atMs = this.#nowMs();
    const puts = all.flatMap(({ made, now }) => {
      const spans = spansWith(made, now, atMs);
      if (spans === undefined) {
        return [];
      }
      const name = entryName(made.tenant, made.series);
      return [{ made, name, value: { spans }, expectedRevision: now.revision }];
    });
    if (puts.length === 0) {
      return [];
    }
    const revisions = await this.#registry.putAll('setting', puts);
    return puts.filter((_, index) => revisions[index] === undefined).map(({ made }) => made);
  }
}

/**
 * Forgets it for a tenant's series, or those of a meter, or one. A run under way goes on, and writes down once more of which
 * instants its readings are, never a value: the tombstone keeps the readings out, and this stays until the next run of these
 * days, or the next erasure.
 */
export async function eraseDaysMade(
  registry: Registry,
  tenant: string,
  series?: { readonly meter: string; readonly channel?: string },
): Promise<void> {
  const prefix = prefixOf(tenant);
  for await (const { name, revision } of entries(registry, 'setting', prefix)) {
    const { meter, channel } = seriesOfPath(name.slice(prefix.length));
    const isMeant = series === undefined || series.meter === meter;
    if (isMeant && (series?.channel === undefined || series.channel === channel)) {
      await registry.remove('setting', name, revision);
    }
  }
}

/** What is known with a run written into it; undefined where all its days are another's by now. Throws {@link OvertakenError}. */
function spansWith(made: SeriesMade, now: KnownMade, atMs: number): readonly KeptSpan[] | undefined {
  const { activation, ticket } = made;
  let own = joined(made.days);
  const kept: KeptSpan[] = [];
  for (const each of now.spans as readonly KeptSpan[]) {
    const shared = own.filter(({ fromMs, toMs }) => fromMs < each.toMs && each.fromMs < toMs);
    if (compareStamps(each, made) > 0) {
      // It counts before this run, whose output is shadowed where it stated the same readings.
      requireStated(shared, each, { by: each.made, all: made.made });
      own = own.flatMap((days) => spansBeside(days, each));
      kept.push(each);
    } else {
      const isKnown = compareStamps(each, made) === 0 || made.known.spans.some((one) => compareStamps(one, each) === 0);
      requireStated(isKnown ? [] : shared, each, { by: made.made, all: each.made });
      const left = shared.reduce<readonly Span[]>(
        (parts, days) => parts.flatMap((part) => spansBeside(part, days)),
        [each],
      );
      kept.push(
        ...(shared.length === 0 ? [each] : left.map((days) => ({ ...each, ...days, made: cut(each.made, days) }))),
      );
    }
  }
  if (own.length === 0) {
    return undefined;
  }
  const fresh = own.map((days) => ({ ...days, activation, ticket, atMs, made: cut(made.made, days) }));
  const young = kept.filter((each) => each.atMs > atMs - madeKeptDays * dayMs);
  return fitting([...fresh, ...young]).sort((a, b) => a.fromMs - b.fromMs);
}

/** As much as an entry may hold: of what was written last, and of each span its last days. Of what is equally old, what comes first. */
function fitting(spans: readonly KeptSpan[]): KeptSpan[] {
  let room = madeRunsMax;
  return spans
    .toSorted((a, b) => b.atMs - a.atMs)
    .flatMap((each) => {
      const end = endWithin(each, room);
      room -= end === undefined ? 0 : runsIn(end);
      return end === undefined ? [] : [end];
    });
}

/** The last days of a span that have room, found by halves; undefined for none. */
function endWithin(span: KeptSpan, room: number): KeptSpan | undefined {
  let end = span;
  while (runsIn(end) > room) {
    const fromMs = Math.ceil((end.fromMs + end.toMs) / 2);
    if (fromMs >= end.toMs || room < 1) {
      return undefined;
    }
    end = { ...end, fromMs, made: cut(end.made, { fromMs, toMs: end.toMs }) };
  }
  return end;
}

function runsIn({ made }: KeptSpan): number {
  return made.reduce((sum, { runs }) => sum + runs.length, 1);
}

/** Throws where, on days that are shared with another run, one stated a reading that the other did not. */
function requireStated(
  shared: readonly Span[],
  other: Span,
  { by, all }: { readonly by: MadeReadings; readonly all: MadeReadings },
): void {
  for (const days of shared) {
    const [fromMs, toMs] = [Math.max(days.fromMs, other.fromMs), Math.min(days.toMs, other.toMs)];
    const stated = new MadeReadingsBuilder();
    for (const reading of madeWithin(by, fromMs, toMs)) {
      stated.add(reading, reading.startMs, reading.lengthMs);
    }
    for (const reading of madeWithin(all, fromMs, toMs)) {
      if (!stated.has(reading)) {
        const { channel, startMs } = reading;
        throw new OvertakenError(`another run of the same day stated otherwise of ${channel} at ${startMs}`);
      }
    }
  }
}

/** Those that begin within the days. */
function cut(made: MadeReadings, { fromMs, toMs }: Span): MadeReadings {
  const within = new MadeReadingsBuilder();
  for (const reading of madeWithin(made, fromMs, toMs)) {
    within.add(reading, reading.startMs, reading.lengthMs);
  }
  return within.finish();
}

/** Days one after the other as one span. */
function joined(days: readonly Span[]): readonly Span[] {
  const spans: Span[] = [];
  for (const { fromMs, toMs } of days.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = spans.at(-1);
    if (last !== undefined && last.toMs >= fromMs) {
      spans[spans.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, toMs) };
    } else {
      spans.push({ fromMs, toMs });
    }
  }
  return spans;
}

function knownOf(entry: RegistryEntry<unknown> | undefined): KnownMade {
  return entry === undefined
    ? { spans: [], revision: 0 }
    : { spans: parseEntry(schema, entry).spans, revision: entry.revision };
}

function prefixOf(tenant: string): string {
  return `${tenant}/days-made/`;
}

function entryName(tenant: string, { meter, channel }: SeriesName): string {
  return `${prefixOf(tenant)}${seriesPath(meter, channel)}`;
}
