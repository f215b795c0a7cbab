import { letterRemainder, type LetterRule } from '@meterflow/contracts';
import type { DeadLetter, LetterErasure } from '@meterflow/stage';
import type { Table } from '../client/table.ts';
import { hashedKey } from '../rows/key-hash.ts';
import { tables } from '../schema.ts';
import type { Mutation } from '../wire/mutations.ts';
import { chain, inQualifiers, newestOnly } from '../wire/row-filter.ts';

const family = tables.deadLetters.tombstones;
const filter = chain(inQualifiers({ family }), newestOnly);
const mark = Buffer.of(1);

/** What an erasure covers of letters is two numbers: each is the timestamp of a cell of its own, which only grows. */
const numbers = { upToMs: 'i', ticket: 't' } as const;

/**
 * What was erased of a tenant, so that letters about it that are put later lose it too: a row of the tenant, whose columns
 * name the number, the meter and the channel ('' for all).
 */
export class LetterErasures {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /** Durable when it resolves; an older one after a newer changes nothing. */
  async put({ tenant, series, ...covered }: LetterErasure): Promise<void> {
    const name = `${series?.meter ?? ''}\0${series?.channel ?? ''}`;
    const mutations = (['upToMs', 'ticket'] as const).map((number): Mutation => {
      const qualifier = Buffer.from(`${numbers[number]}\0${name}`);
      return { set: { family, qualifier, micros: covered[number] * 1_000, value: mark } };
    });
    await this.#table.mutate([{ key: keyOf(tenant), mutations }]);
  }

  async of(tenant: string): Promise<readonly LetterErasure[]> {
    const { cells } = await this.#table.readRow(keyOf(tenant), filter);
    const found = new Map<string, LetterErasure>();
    for (const { qualifier, micros } of cells) {
      const [number, meter = '', channel = ''] = qualifier.toString().split('\0');
      const name = `${meter}\0${channel}`;
      const series = meter === '' ? {} : { series: { meter, ...(channel === '' ? {} : { channel }) } };
      const known = found.get(name) ?? { tenant, ...series, upToMs: -1, ticket: -1 };
      found.set(name, { ...known, [number === numbers.ticket ? 'ticket' : 'upToMs']: micros / 1_000 });
    }
    return [...found.values()];
  }
}

/** What several erasures leave of a letter; see `letterRemainder`. */
export function remainderUnder(letter: DeadLetter, rules: readonly LetterRule[]): Uint8Array | undefined {
  let { payload } = letter;
  for (const rule of rules) {
    const left = letterRemainder({ attributes: letter.attributes, payload }, rule);
    if (left === undefined) {
      return undefined;
    }
    payload = left;
  }
  return payload;
}

function keyOf(tenant: string): Buffer {
  return hashedKey('erased', tenant);
}
