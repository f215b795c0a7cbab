import { createHash } from 'node:crypto';
import { z } from 'zod';
import { seriesPath } from './series-path.ts';

const valueSchema = z.object({
  fallback: z.number().optional(),
  own: z.array(z.tuple([z.number(), z.array(z.string())])),
});

const versionHexChars = 16;

/** The registered interval lengths of a tenant's series at one moment. */
export class IntervalLengths {
  readonly #fallback: number | undefined;
  /** By path of the series; only of those that the fallback is wrong for. */
  readonly #own: ReadonlyMap<string, number>;
  #version: string | undefined;

  constructor(fallback: number | undefined, own: ReadonlyMap<string, number>) {
    this.#fallback = fallback;
    this.#own = new Map([...own].filter(([, intervalMs]) => intervalMs !== fallback));
  }

  /** Reads what {@link toJSON} gave. Throws ZodError. */
  static parse(value: unknown): IntervalLengths {
    const { fallback, own } = valueSchema.parse(value);
    return new IntervalLengths(
      fallback,
      new Map(own.flatMap(([intervalMs, paths]) => paths.map((path) => [path, intervalMs] as const))),
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
  of(meter: string, channel: string): number | undefined {
    return this.#own.size === 0 ? this.#fallback : (this.#own.get(seriesPath(meter, channel)) ?? this.#fallback);
  }

  /** By length, since most series share a few. */
  toJSON(): z.input<typeof valueSchema> {
    const pathsOf = new Map<number, string[]>();
    for (const [path, intervalMs] of [...this.#own].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const paths = pathsOf.get(intervalMs) ?? [];
      paths.push(path);
      pathsOf.set(intervalMs, paths);
    }
    const own = [...pathsOf].sort(([a], [b]) => a - b);
    return this.#fallback === undefined ? { own } : { fallback: this.#fallback, own };
  }

  get #isNone(): boolean {
    return this.#fallback === undefined && this.#own.size === 0;
  }
}

export const noIntervalLengths = new IntervalLengths(undefined, new Map());
