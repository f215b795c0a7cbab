import type { DueRecompute, DueRecomputes, SeriesChange, SeriesRegistry, TouchedSeries } from '@meterflow/registry';
import { z } from 'zod';
import { refusedSettings, type RegistryLine, type RegistryReject } from './registry-lines.ts';

type ChangeLine = Extract<RegistryLine, { readonly line: number }>;

/** Changes that are applied together. */
const changesTogether = 500;
/** So many lines may a file have of which all or none is to be applied: they are held in memory. */
const allOrNothingLinesMax = 200_000;
/** So many rejects are told by line; all are counted. */
const rejectsToldMax = 1_000;
/** So many touched series come together before they are told. */
const touchedTogether = 50_000;

export interface RegistryImport {
  readonly lines: number;
  readonly applied: number;
  readonly rejected: number;
  /** Series that are otherwise now; importing the same again changes none. */
  readonly changed: number;
}

export interface ImportPorts {
  readonly series: Pick<SeriesRegistry, 'apply'>;
  readonly dueRecomputes: Pick<DueRecomputes, 'note' | 'done'>;
  readonly onReject: (reject: RegistryReject) => void;
  readonly onProgress: (progress: RegistryImport) => void;
  /** Has what they touch computed anew; called with some thousands of them, seldom. */
  readonly onTouched: (touched: readonly TouchedSeries[]) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Thrown where all or nothing was asked for and a file is too long for it. */
export class TooManyLinesError extends Error {
  override readonly name = 'TooManyLinesError';
}

/** Applies every good line, and tells the others; with `allOrNothing` nothing where any is bad. Done again, it changes nothing. */
export async function importRegistry(
  tenant: string,
  lines: AsyncIterable<RegistryLine>,
  { allOrNothing, ...ports }: ImportPorts & { readonly allOrNothing: boolean },
): Promise<RegistryImport> {
  const work = new Work(tenant, ports);
  try {
    await applyLines(work, lines, { allOrNothing, ...ports });
  } finally {
    // What was applied before it broke off counts: the same lines once more change nothing, and would tell nothing.
    await work.tell();
  }
  return work.sofar;
}

async function applyLines(
  work: Work,
  lines: AsyncIterable<RegistryLine>,
  { allOrNothing, signal }: Pick<ImportPorts, 'signal'> & { readonly allOrNothing: boolean },
): Promise<void> {
  const apply = (some: readonly ChangeLine[]): Promise<void> =>
    allOrNothing ? work.apply(some) : work.applyGood(some);
  let together: ChangeLine[] = [];
  for await (const line of lines) {
    signal.throwIfAborted();
    work.count(line);
    if ('change' in line) {
      together.push(line);
    }
    if (allOrNothing && together.length > allOrNothingLinesMax) {
      throw new TooManyLinesError(
        `a file of more than ${allOrNothingLinesMax} lines is applied line by line: split it`,
      );
    }
    if (!allOrNothing && together.length >= changesTogether) {
      await apply(together);
      together = [];
    }
  }
  if (!allOrNothing || work.rejected === 0) {
    for (let from = 0; from < together.length; from += changesTogether) {
      await apply(together.slice(from, from + changesTogether));
    }
  }
}

class Work {
  rejected = 0;
  readonly #tenant: string;
  readonly #ports: ImportPorts;
  #lines = 0;
  #applied = 0;
  #changed = 0;
  #touched: TouchedSeries[] = [];
  /** Noted, and not told yet. */
  #due: DueRecompute[] = [];

  constructor(tenant: string, ports: ImportPorts) {
    this.#tenant = tenant;
    this.#ports = ports;
  }

  get sofar(): RegistryImport {
    return { lines: this.#lines, applied: this.#applied, rejected: this.rejected, changed: this.#changed };
  }

  count(line: RegistryLine): void {
    this.#lines += 1;
    if ('reject' in line) {
      this.#reject(line.reject);
    }
  }

  #reject(reject: RegistryReject): void {
    this.rejected += 1;
    if (this.rejected <= rejectsToldMax) {
      this.#ports.onReject(reject);
    }
  }

  /** What a series can't have with all that it had before is seen here alone: such a line is told, and the others applied. */
  async applyGood(lines: readonly ChangeLine[]): Promise<void> {
    try {
      await this.apply(lines);
    } catch (error) {
      const [only] = lines;
      if (!(error instanceof z.ZodError) || only === undefined) {
        throw error;
      }
      if (lines.length === 1) {
        this.#reject(refusedSettings(only.line, error));
        return;
      }
      for (const line of lines) {
        await this.applyGood([line]);
      }
    }
  }

  /** Throws ZodError for what a series can't have: nothing of these is applied then. */
  async apply(lines: readonly ChangeLine[]): Promise<void> {
    const { dueRecomputes } = this.#ports;
    const changes = lines.map(({ change }) => change);
    const named = changes.map((change) => change.series);
    const due = await dueRecomputes.note({ tenant: this.#tenant, scope: { of: 'series', series: named } });
    const { changed, touched } = await this.#write(changes, due);
    if (touched.length === 0) {
      await dueRecomputes.done(due);
    } else {
      this.#due.push(due);
    }
    this.#applied += changes.length;
    this.#changed += changed;
    this.#touched.push(...touched);
    this.#ports.onProgress(this.sofar);
    if (this.#touched.length >= touchedTogether) {
      await this.tell();
    }
  }

  async #write(changes: readonly SeriesChange[], due: DueRecompute): ReturnType<SeriesRegistry['apply']> {
    const { series, dueRecomputes } = this.#ports;
    try {
      return await series.apply(this.#tenant, changes);
    } catch (error) {
      if (error instanceof z.ZodError) {
        // Nothing was changed: left there, each line that is refused would have its series computed anew later.
        await dueRecomputes.done(due);
      }
      throw error;
    }
  }

  async tell(): Promise<void> {
    const [touched, due] = [this.#touched, this.#due];
    [this.#touched, this.#due] = [[], []];
    if (touched.length > 0) {
      await this.#ports.onTouched(touched);
    }
    for (const each of due) {
      await this.#ports.dueRecomputes.done(each);
    }
  }
}
