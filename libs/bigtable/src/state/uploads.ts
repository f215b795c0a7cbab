import { createHash, randomBytes } from 'node:crypto';
import {
  uploadPieceBytesMax,
  UploadTooLargeError,
  type Upload,
  type Uploads,
  type UploadWriter,
} from '@meterflow/receipts';
import type { Clock } from '@meterflow/stage';
import type { RowChange, Table } from '../client/table.ts';
import { under } from '../rows/key-hash.ts';
import { tables } from '../schema.ts';
import type { Mutation } from '../wire/mutations.ts';
import { firstCellOnly, inQualifiers } from '../wire/row-filter.ts';

/**
 * An upload has a head (`head`, name) and pieces (`piece`, name, number). The head says `open` from the first moment, with
 * the time of the last write, and `whole` once all is there: only then is the upload one.
 */
const family = tables.uploads.pieces;
const openName = Buffer.from('open');
const wholeName = Buffer.from('whole');
const pieceName = Buffer.from('piece');
const heads = Buffer.from('head\0');
const filter = inQualifiers({ family });

/** What one cell holds. */
const storedPieceBytesMax = 4 * uploadPieceBytesMax;
const idPattern = /^([0-9a-f]{24})-([0-9a-f]{64})$/;
const pageRows = 500;

export class BigtableUploads implements Uploads {
  readonly #table: Table;
  readonly #clock: Clock;

  constructor(table: Table, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  async create({ bytesMax }: { readonly bytesMax: number }): Promise<UploadWriter> {
    const writer = new PiecesWriter(this.#table, this.#clock, { bytesMax, name: randomBytes(12).toString('hex') });
    await writer.open();
    return writer;
  }

  async find(id: string): Promise<Upload | undefined> {
    const name = idPattern.exec(id)?.[1];
    if (name === undefined) {
      return undefined;
    }
    const { cells } = await this.#table.readRow(headKey(name), filter);
    const whole = cells.find(({ qualifier }) => qualifier.equals(wholeName));
    const upload = whole === undefined ? undefined : (JSON.parse(whole.value.toString()) as Upload);
    return upload?.id === id ? upload : undefined;
  }

  async *read(id: string): AsyncIterable<Uint8Array> {
    const upload = await this.find(id);
    if (upload === undefined) {
      throw new RangeError(`there is no upload ${id}`);
    }
    let left = upload.bytes;
    for await (const { cells } of this.#table.scan(under(piecesOf(nameOf(id))), filter, 1)) {
      const bytes = cells[0]?.value ?? Buffer.alloc(0);
      left -= bytes.length;
      for (let from = 0; from < bytes.length; from += uploadPieceBytesMax) {
        yield bytes.subarray(from, from + uploadPieceBytesMax);
      }
    }
    if (left !== 0) {
      throw new RangeError(`the upload ${id} is no longer whole`);
    }
  }

  async remove(id: string): Promise<void> {
    if (idPattern.test(id)) {
      await removeUpload(this.#table, nameOf(id));
    }
  }

  async sweep(beforeMs: number): Promise<number> {
    let removed = 0;
    for await (const { key, cells } of this.#table.scan(under(heads), filter, pageRows)) {
      const lastMs = Math.max(...cells.map(({ micros }) => micros / 1_000));
      if (lastMs < beforeMs) {
        await removeUpload(this.#table, key.toString('utf8', heads.length));
        removed += 1;
      }
    }
    return removed;
  }
}

class PiecesWriter implements UploadWriter {
  readonly #table: Table;
  readonly #clock: Clock;
  readonly #upload: { readonly name: string; readonly bytesMax: number };
  readonly #hash = createHash('sha256');
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #bytes = 0;
  #pieces = 0;
  #isOpen = true;

  constructor(table: Table, clock: Clock, upload: { readonly name: string; readonly bytesMax: number }) {
    this.#table = table;
    this.#clock = clock;
    this.#upload = upload;
  }

  async open(): Promise<void> {
    await this.#table.mutate([this.#touched()]);
  }

  async write(bytes: Uint8Array): Promise<void> {
    const { bytesMax } = this.#upload;
    if (this.#bytes + bytes.length > bytesMax) {
      await this.abort();
      throw new UploadTooLargeError(bytesMax);
    }
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    for (let from = 0; from < bytes.length;) {
      const to = Math.min(bytes.length, from + storedPieceBytesMax - this.#waitingBytes);
      this.#waiting.push(Buffer.from(bytes.subarray(from, to)));
      this.#waitingBytes += to - from;
      from = to;
      if (this.#waitingBytes === storedPieceBytesMax) {
        await this.#flush();
      }
    }
  }

  /** 1. All pieces are durable, 2. then the head says so. */
  async finish(): Promise<Upload> {
    await this.#flush();
    const { name } = this.#upload;
    const contentHash = this.#hash.digest('hex');
    const upload = { id: `${name}-${contentHash}`, contentHash, bytes: this.#bytes };
    await this.#table.mutate([{ key: headKey(name), mutations: [this.#set(wholeName, JSON.stringify(upload))] }]);
    this.#isOpen = false;
    return upload;
  }

  async abort(): Promise<void> {
    if (this.#isOpen) {
      this.#isOpen = false;
      await removeUpload(this.#table, this.#upload.name);
    }
  }

  async #flush(): Promise<void> {
    if (this.#waitingBytes === 0) {
      return;
    }
    const key = pieceKey(this.#upload.name, this.#pieces);
    const value = Buffer.concat(this.#waiting);
    await this.#table.mutate([this.#touched(), { key, mutations: [this.#set(pieceName, value)] }]);
    this.#pieces += 1;
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  #touched(): RowChange {
    return { key: headKey(this.#upload.name), mutations: [this.#set(openName, '1')] };
  }

  #set(qualifier: Buffer, value: string | Buffer): Mutation {
    const micros = this.#clock.nowMs() * 1_000;
    return { set: { family, qualifier, micros, value: typeof value === 'string' ? Buffer.from(value) : value } };
  }
}

/** 1. It is no upload any more, 2. its pieces go, 3. its head, by which a sweep would find what a crash left. */
async function removeUpload(table: Table, name: string): Promise<void> {
  const key = headKey(name);
  await table.mutate([{ key, mutations: [{ remove: { family, qualifier: wholeName } }] }]);
  const pieces: RowChange[] = [];
  for await (const piece of table.scan(under(piecesOf(name)), firstCellOnly, pageRows)) {
    pieces.push({ key: piece.key, mutations: [{ removeRow: true }] });
  }
  await table.mutate(pieces);
  await table.mutate([{ key, mutations: [{ removeRow: true }] }]);
}

function nameOf(id: string): string {
  return id.slice(0, id.indexOf('-'));
}

/** Names are random: heads of one time lie far apart. */
function headKey(name: string): Buffer {
  return Buffer.concat([heads, Buffer.from(name)]);
}

function piecesOf(name: string): Buffer {
  return Buffer.from(`piece\0${name}\0`);
}

function pieceKey(name: string, number: number): Buffer {
  const key = Buffer.concat([piecesOf(name), Buffer.alloc(4)]);
  key.writeUInt32BE(number, key.length - 4);
  return key;
}
