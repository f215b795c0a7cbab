import { createHash, type Hash } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import {
  uploadPieceBytesMax,
  UploadTooLargeError,
  type Upload,
  type Uploads,
  type UploadWriter,
} from '@meterflow/receipts';
import { FatalError, TransientError } from '@meterflow/stage';

const partial = '.partial';
const idPattern = /^[0-9a-z]{1,64}-[0-9a-f]{64}$/;

/**
 * Uploads as files of one directory: `<name>.partial` while it comes in, `<name>-<sha256>` when it is whole and on the
 * disk. The id says the hash, so that finding an upload reads none of it.
 */
export class EmbeddedUploads implements Uploads {
  readonly #directory: string;
  readonly #newId: () => string;

  constructor(directory: string, options: { readonly newId: () => string }) {
    this.#directory = directory;
    this.#newId = options.newId;
  }

  create({ bytesMax }: { bytesMax: number }): Promise<UploadWriter> {
    return this.#attempt(async () => {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      const name = this.#newId();
      const handle = await open(join(this.#directory, name + partial), 'wx', 0o600);
      return new FileUploadWriter({ handle, name, directory: this.#directory, bytesMax });
    });
  }

  async find(id: string): Promise<Upload | undefined> {
    if (!idPattern.test(id)) {
      return undefined;
    }
    const found = await this.#attempt(() => stat(join(this.#directory, id)).catch(absent));
    return found === undefined ? undefined : { id, contentHash: id.slice(-64), bytes: found.size };
  }

  async *read(id: string): AsyncIterable<Uint8Array> {
    if (!idPattern.test(id)) {
      throw new RangeError(`${id} is not an upload's id`);
    }
    const handle = await this.#attempt(() => open(join(this.#directory, id), 'r'));
    try {
      for (;;) {
        const { bytesRead, buffer } = await this.#attempt(() =>
          handle.read({ buffer: new Uint8Array(uploadPieceBytesMax) }),
        );
        if (bytesRead === 0) {
          return;
        }
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await handle.close();
    }
  }

  async remove(id: string): Promise<void> {
    if (idPattern.test(id)) {
      await this.#attempt(() => rm(join(this.#directory, id), { force: true }));
    }
  }

  sweep(beforeMs: number): Promise<number> {
    return this.#attempt(async () => {
      let removed = 0;
      for (const name of (await readdir(this.#directory).catch(absent)) ?? []) {
        const file = join(this.#directory, name);
        const found = await stat(file).catch(absent);
        if (found !== undefined && found.mtimeMs < beforeMs && (name.endsWith(partial) || idPattern.test(name))) {
          await rm(file, { force: true });
          removed += 1;
        }
      }
      return removed;
    });
  }

  #attempt<Result>(work: () => Promise<Result>): Promise<Result> {
    return work().catch((error: unknown) => {
      throw fileError(error, this.#directory);
    });
  }
}

interface OpenUpload {
  readonly handle: FileHandle;
  readonly name: string;
  readonly directory: string;
  readonly bytesMax: number;
}

class FileUploadWriter implements UploadWriter {
  readonly #upload: OpenUpload;
  readonly #hash: Hash = createHash('sha256');
  #bytes = 0;
  #open = true;

  constructor(upload: OpenUpload) {
    this.#upload = upload;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const { handle, directory, bytesMax } = this.#upload;
    if (this.#bytes + bytes.length > bytesMax) {
      await this.abort();
      throw new UploadTooLargeError(bytesMax);
    }
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    await handle.writeFile(bytes).catch((error: unknown) => {
      throw fileError(error, directory);
    });
  }

  async finish(): Promise<Upload> {
    const { handle, directory, name } = this.#upload;
    const contentHash = this.#hash.digest('hex');
    const id = `${name}-${contentHash}`;
    try {
      // 1. The bytes are on the disk, 2. then they get their name, 3. then the name is on the disk.
      await handle.sync();
      await this.#close();
      await rename(join(directory, name + partial), join(directory, id));
      await syncDirectory(directory);
    } catch (error) {
      throw fileError(error, directory);
    }
    return { id, contentHash, bytes: this.#bytes };
  }

  async abort(): Promise<void> {
    if (this.#open) {
      await this.#close();
      await rm(join(this.#upload.directory, this.#upload.name + partial), { force: true });
    }
  }

  async #close(): Promise<void> {
    this.#open = false;
    await this.#upload.handle.close();
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') {
    throw error;
  }
}

function fileError(error: unknown, directory: string): Error {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new TransientError(`The disk of ${directory} is full. Make room; nothing that was confirmed is lost.`, {
        cause: error,
      });
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return new FatalError(`${directory} can't be written. Make it writable for this user.`, { cause: error });
    default:
      return error instanceof Error ? error : new Error(String(error));
  }
}
