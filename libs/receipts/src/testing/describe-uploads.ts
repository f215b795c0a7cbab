import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { uploadPieceBytesMax, UploadTooLargeError, type Uploads } from '../uploads.ts';

export interface UploadsAdapter {
  /** Another process's view of the same store. */
  open(): Uploads;
  /** How many uploads the store holds, finished or not. */
  count(): Promise<number>;
  close(): Promise<void>;
}

const limits = { bytesMax: 10 * uploadPieceBytesMax };

async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) {
    expect(piece.length).toBeLessThanOrEqual(uploadPieceBytesMax);
    all.push(piece);
  }
  return Buffer.concat(all);
}

/** What every adapter of `Uploads` holds. */
export function describeUploads(name: string, makeAdapter: () => Promise<UploadsAdapter>): void {
  describe(`${name} as Uploads`, () => {
    let adapter: UploadsAdapter;
    let uploads: Uploads;
    beforeEach(async () => {
      adapter = await makeAdapter();
      uploads = adapter.open();
    });
    afterEach(() => adapter.close());

    const put = async (...pieces: Uint8Array[]) => {
      const writer = await uploads.create(limits);
      for (const piece of pieces) {
        await writer.write(piece);
      }
      return writer.finish();
    };

    test('another process reads the very bytes, and knows their hash before it reads', async () => {
      const bytes = Buffer.alloc(uploadPieceBytesMax * 2 + 7, 'meter');
      const upload = await put(bytes.subarray(0, 3), bytes.subarray(3));
      const contentHash = createHash('sha256').update(bytes).digest('hex');
      expect(upload).toMatchObject({ contentHash, bytes: bytes.length });
      const other = adapter.open();
      expect(await other.find(upload.id)).toEqual(upload);
      expect(Buffer.compare(await bytesOf(other.read(upload.id)), bytes)).toBe(0);
    });

    test('the same bytes twice are two uploads, and an empty one is one too', async () => {
      const [first, second] = [await put(Buffer.from('a')), await put(Buffer.from('a'))];
      expect(first.id).not.toBe(second.id);
      expect(first.contentHash).toBe(second.contentHash);
      expect((await bytesOf(uploads.read((await put()).id))).length).toBe(0);
    });

    test('what is not finished, or aborted, or removed, is not there', async () => {
      const writer = await uploads.create(limits);
      await writer.write(Buffer.from('half'));
      await writer.abort();
      expect(await adapter.count()).toBe(0);
      const upload = await put(Buffer.from('whole'));
      await uploads.remove(upload.id);
      await uploads.remove(upload.id);
      expect(await uploads.find(upload.id)).toBeUndefined();
      await expect(bytesOf(uploads.read(upload.id))).rejects.toThrow();
      expect(await adapter.count()).toBe(0);
    });

    test('one that passes its limit is refused and leaves nothing', async () => {
      const writer = await uploads.create({ bytesMax: 4 });
      await writer.write(Buffer.from('1234'));
      await expect(writer.write(Buffer.from('5'))).rejects.toThrow(UploadTooLargeError);
      expect(await adapter.count()).toBe(0);
    });

    test('a sweep removes what crashes left, by age, and nothing younger', async () => {
      const abandoned = await uploads.create(limits);
      await abandoned.write(Buffer.from('half'));
      const forgotten = await put(Buffer.from('whole'));
      expect(await uploads.sweep(Date.now() - 60_000)).toBe(0);
      expect(await uploads.find(forgotten.id)).toBeDefined();
      expect(await uploads.sweep(Date.now() + 60_000)).toBe(2);
      expect(await adapter.count()).toBe(0);
      await abandoned.abort();
    });

    test.each(['../sources.sqlite', '', 'a/b', `x-${'0'.repeat(63)}`])('the id %j names no upload', async (id) => {
      expect(await uploads.find(id)).toBeUndefined();
      await expect(bytesOf(uploads.read(id))).rejects.toThrow();
      await uploads.remove(id);
    });
  });
}
