import { createHash } from 'node:crypto';
import { z } from 'zod';
import { seriesPath } from './series-path.ts';
import type { IntervalPeriod } from './series-settings.ts';

/** The one length of a series; the lengths over time where it changes. */
export type RegisteredLength = number | readonly IntervalPeriod[];

const periodsSchema = z.array(z.tuple([z.number(), z.number().nullable()]));
const valueSchema = z.object({
  fallback: z.number().optional(),
  own: z.array(z.tuple([z.number(), z.array(z.string())])),
  fallbackChanging: periodsSchema.optional(),
  changing: z.array(z.tuple([z.string(), periodsSchema])).optional(),
});
type Value = z.infer<typeof valueSchema>;

const versionHexChars = 16;

/** The registered interval lengths of a tenant's series at one moment. */
export class IntervalLengths {
  readonly #fallback: RegisteredLength | undefined;
  /** By path of the series; only of those that the fallback is wrong for. */
  readonly #own: ReadonlyMap<string, RegisteredLength>;
  #version: string | undefined;

  constructor(fallback: RegisteredLength | undefined, own: ReadonlyMap<string, RegisteredLength>) {
    this.#fallback = fallback;
    this.#own = new Map([...own].filter(([, length]) => length !== fallback));
  }

  /** Reads what {@link toJSON} gave. Throws ZodError. */
  static parse(value: unknown): IntervalLengths {
    const { fallback, own, fallbackChanging, changing = [] } = valueSchema.parse(value);
    const lengths = own.flatMap(([intervalMs, paths]) => paths.map((path) => [path, intervalMs] as const));
    return new IntervalLengths(
      fallbackChanging === undefined ? fallback : fromTuples(fallbackChanging),
      new Map<string, RegisteredLength>([
        ...lengths,
        ...changing.map(([path, tuples]) => [path, fromTuples(tuples)] as const),
      ]),
    );
  }

  /** Names this content: the same lengths have the same version. Empty where none is registered. */
  get version(): string {
    this.#version ??= this.#isNone
      ? ''
      : createHash('sha256').update(JSON.stringify(this)).digest('hex').slice(0, versionHexChars);
    return this.#version;
  }

  /** Undefined where none is registered. */
  of(meter: string, channel: string): RegisteredLength | undefined {
    return this.#own.size === 0 ? this.#fallback : (this.#own.get(seriesPath(meter, channel)) ?? this.#fallback);
  }

  /** By length, since most series share a few. */
  toJSON(): Value {
    const pathsOf = new Map<number, string[]>();
    const changing: NonNullable<Value['changing']> = [];
    for (const [path, length] of [...this.#own].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (typeof length === 'number') {
        const paths = pathsOf.get(length) ?? [];
        paths.push(path);
        pathsOf.set(length, paths);
      } else {
        changing.push([path, toTuples(length)]);
      }
    }
    const own = [...pathsOf].sort(([a], [b]) => a - b);
    return { ...fallbackJson(this.#fallback), own, ...(changing.length === 0 ? {} : { changing }) };
  }

  get #isNone(): boolean {
    return this.#fallback === undefined && this.#own.size === 0;
  }
}

export const noIntervalLengths = new IntervalLengths(undefined, new Map());

function fallbackJson(fallback: RegisteredLength | undefined): Pick<Value, 'fallback' | 'fallbackChanging'> {
  if (fallback === undefined) {
    return {};
  }
  return typeof fallback === 'number' ? { fallback } : { fallbackChanging: toTuples(fallback) };
}

function toTuples(periods: readonly IntervalPeriod[]): [number, number | null][] {
  return periods.map(({ fromMs, intervalMs }) => [fromMs, intervalMs ?? null]);
}

function fromTuples(tuples: z.infer<typeof periodsSchema>): IntervalPeriod[] {
  return tuples.map(([fromMs, intervalMs]) => ({ fromMs, intervalMs: intervalMs ?? undefined }));
}
