import { randomBytes } from 'node:crypto';
import type { Table } from '../client/table.ts';
import type { Mutation } from '../wire/mutations.ts';
import type { StoredRow } from '../wire/read-rows.ts';
import { chain, inQualifiers, withValue, type RowFilter } from '../wire/row-filter.ts';

/** A row that holds one text under a revision. */
export interface StoredDocument {
  readonly key: Buffer;
  /** 0 where there is no row. */
  readonly revision: number;
  /** Undefined where it was removed, or never there. */
  readonly text: string | undefined;
  readonly stamp: Buffer | undefined;
}

const stampName = Buffer.from('r');
const textName = Buffer.from('d');
const tokenBytes = 8;

/**
 * Rows that are replaced by compare-and-set: `r` is the revision and a random token, `d` the text. The token tells a
 * writer whose answer was lost that it was itself who replaced the row.
 */
export class Documents {
  readonly table: Table;
  readonly filter: RowFilter;
  readonly #family: string;
  readonly #microsOf: (revision: number) => number;

  /** `microsOf`: the cell time of a revision; its age is what garbage collection looks at. */
  constructor(table: Table, options: { readonly family: string; readonly microsOf: (revision: number) => number }) {
    this.table = table;
    this.#family = options.family;
    this.#microsOf = options.microsOf;
    this.filter = inQualifiers({ family: options.family });
  }

  async read(key: Buffer): Promise<StoredDocument> {
    return this.parse(await this.table.readRow(key, this.filter));
  }

  parse({ key, cells }: StoredRow): StoredDocument {
    const stamp = cells.find(({ qualifier }) => qualifier.equals(stampName))?.value;
    const text = cells.find(({ qualifier }) => qualifier.equals(textName))?.value.toString();
    return { key, revision: stamp === undefined ? 0 : Number(stamp.readBigUInt64BE()), text, stamp };
  }

  /** Replaces what was read, or removes its text; false where it is no longer what was read. */
  async replace(before: StoredDocument, text: string | undefined): Promise<boolean> {
    const { key, revision } = before;
    const stamp = Buffer.alloc(8 + tokenBytes);
    stamp.writeBigUInt64BE(BigInt(revision + 1));
    randomBytes(tokenBytes).copy(stamp, 8);
    const mutations = this.#mutations(stamp, text, this.#microsOf(revision + 1));
    const column = inQualifiers({
      family: this.#family,
      from: stampName,
      to: Buffer.concat([stampName, Buffer.of(0)]),
    });
    const isNew = before.stamp === undefined;
    const { matched, attempts } = await this.table.check({
      key,
      predicate: before.stamp === undefined ? column : chain(column, withValue(before.stamp)),
      ...(isNew ? { whenFalse: mutations } : { whenTrue: mutations }),
    });
    if (matched !== isNew) {
      return true;
    }
    return attempts > 1 && (await this.read(key)).stamp?.equals(stamp) === true;
  }

  #mutations(stamp: Buffer, text: string | undefined, micros: number): Mutation[] {
    const family = this.#family;
    const cells = [{ qualifier: stampName, value: stamp }];
    if (text !== undefined) {
      cells.push({ qualifier: textName, value: Buffer.from(text) });
    }
    return [
      { remove: { family, qualifier: stampName } },
      { remove: { family, qualifier: textName } },
      ...cells.map((cell): Mutation => ({ set: { family, micros, ...cell } })),
    ];
  }
}
