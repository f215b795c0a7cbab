import { rejectsShownMax, type Reject } from '@meterflow/receipts';
import type { Clock } from '@meterflow/stage';
import type { Table } from '../client/table.ts';
import { hashedKey, under } from '../rows/key-hash.ts';
import { tables } from '../schema.ts';
import type { Mutation } from '../wire/mutations.ts';
import { inQualifiers, withoutValues, chain } from '../wire/row-filter.ts';

const family = tables.sources.entries;
/** Lines of one row: a source may have any number of them, a row may not. */
const linesPerRow = 10_000;
const linesPerChangeMax = 2_000;
const attemptsMax = 20;

export interface LinePage {
  readonly limit: number;
  readonly afterLine: number;
}

/** What is to be said of single lines of each source, a line once: what came first stands. */
export class LineList {
  readonly #table: Table;
  readonly #name: string;
  readonly #clock: Pick<Clock, 'nowMs'>;

  constructor(table: Table, name: 'rejects' | 'remarks', clock: Pick<Clock, 'nowMs'>) {
    this.#table = table;
    this.#name = name;
    this.#clock = clock;
  }

  async add(sourceId: string, lines: readonly Reject[]): Promise<void> {
    const byLine = new Map<number, Reject>();
    for (const line of lines) {
      byLine.set(line.line, byLine.get(line.line) ?? line);
    }
    const sorted = [...byLine.values()].sort((a, b) => a.line - b.line);
    const rows = Map.groupBy(sorted, ({ line }) => Math.floor(line / linesPerRow));
    for (const [row, ofRow] of rows) {
      for (let from = 0; from < ofRow.length; from += linesPerChangeMax) {
        await this.#add(this.#key(sourceId, row), ofRow.slice(from, from + linesPerChangeMax));
      }
    }
  }

  async count(sourceId: string): Promise<number> {
    let count = 0;
    for await (const { cells } of this.#table.scan(
      this.#all(sourceId),
      chain(inQualifiers({ family }), withoutValues),
      20,
    )) {
      count += cells.length;
    }
    return count;
  }

  /** Those that a receipt shows. */
  first(sourceId: string): Promise<readonly Reject[]> {
    return this.after(sourceId, { limit: rejectsShownMax, afterLine: -1 });
  }

  /** In the order of their lines. */
  async after(sourceId: string, { limit, afterLine }: LinePage): Promise<readonly Reject[]> {
    const first = afterLine + 1;
    const { to } = this.#all(sourceId);
    const from = this.#key(sourceId, Math.floor(first / linesPerRow));
    const found: Reject[] = [];
    for await (const { cells } of this.#table.scan({ from, to }, inQualifiers({ family }), 1)) {
      const wanted = cells.filter(({ qualifier }) => lineOf(qualifier) >= first).slice(0, limit - found.length);
      found.push(...wanted.map(({ value }) => JSON.parse(value.toString()) as Reject));
      if (found.length >= limit) {
        break;
      }
    }
    return found;
  }

  /** Replaces the lines that `change` changes; resolves to how many those were. `isDry`: it only counts them. */
  async rewrite(sourceId: string, change: (line: Reject) => Reject, { isDry = false } = {}): Promise<number> {
    let changed = 0;
    for await (const { key, cells } of this.#table.scan(this.#all(sourceId), inQualifiers({ family }), 1)) {
      const mutations = cells.flatMap(({ qualifier, micros, value }): Mutation[] => {
        const line = JSON.parse(value.toString()) as Reject;
        const after = change(line);
        const set = { family, qualifier, micros, value: Buffer.from(JSON.stringify(after)) };
        return after === line ? [] : [{ remove: { family, qualifier, micros } }, { set }];
      });
      changed += mutations.length / 2;
      if (!isDry && mutations.length > 0) {
        await this.#table.mutate([{ key, mutations }]);
      }
    }
    return changed;
  }

  /** Adds what is not there, run by run between what is: each run only where still none of it is there. */
  async #add(key: Buffer, lines: readonly Reject[]): Promise<void> {
    let left = lines;
    for (let attempt = 1; left.length > 0; attempt++) {
      if (attempt > attemptsMax) {
        throw new Error(`${attemptsMax} others were faster to tell of the same lines`);
      }
      const { cells } = await this.#table.readRow(key, chain(within(left), withoutValues));
      const there = new Set(cells.map(({ qualifier }) => lineOf(qualifier)));
      const lost: Reject[] = [];
      for (const run of runsBetween(left, there)) {
        const { matched } = await this.#table.check({
          key,
          predicate: chain(within(run), withoutValues),
          whenFalse: run.map((line) => ({
            set: {
              family,
              qualifier: qualifierOf(line.line),
              micros: this.#clock.nowMs() * 1_000,
              value: Buffer.from(JSON.stringify(line)),
            },
          })),
        });
        lost.push(...(matched ? run : []));
      }
      left = lost;
    }
  }

  #key(sourceId: string, row: number): Buffer {
    const key = Buffer.concat([hashedKey(this.#name, sourceId), Buffer.alloc(6)]);
    key.writeUIntBE(row, key.length - 6, 6);
    return key;
  }

  #all(sourceId: string): { readonly from: Buffer; readonly to: Buffer } {
    return under(hashedKey(this.#name, sourceId));
  }
}

/** Lines that are not there, cut wherever one is between them. */
function runsBetween(lines: readonly Reject[], there: ReadonlySet<number>): Reject[][] {
  const ends = [...there].sort((a, b) => a - b);
  const runs: Reject[][] = [];
  let run: Reject[] = [];
  let next = 0;
  for (const line of lines) {
    let isCut = false;
    while (next < ends.length && (ends[next] as number) <= line.line) {
      next += 1;
      isCut = true;
    }
    if (isCut && run.length > 0) {
      runs.push(run);
      run = [];
    }
    if (!there.has(line.line)) {
      run.push(line);
    }
  }
  return run.length === 0 ? runs : [...runs, run];
}

function within(lines: readonly Reject[]): Uint8Array {
  const [first, last] = [lines[0], lines.at(-1)] as [Reject, Reject];
  return inQualifiers({ family, from: qualifierOf(first.line), to: qualifierOf(last.line + 1) });
}

function qualifierOf(line: number): Buffer {
  const qualifier = Buffer.alloc(6);
  qualifier.writeUIntBE(line, 0, 6);
  return qualifier;
}

function lineOf(qualifier: Buffer): number {
  return qualifier.readUIntBE(0, 6);
}
