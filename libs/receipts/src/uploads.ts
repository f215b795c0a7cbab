/** Bytes taken in whole before they are read: they may be larger than memory, and outlive the process that took them. */
export interface Upload {
  readonly id: string;
  /** SHA-256 of the bytes, hexadecimal. */
  readonly contentHash: string;
  readonly bytes: number;
}

/** One upload while it comes in. Called by one caller, one call at a time. */
export interface UploadWriter {
  /** Resolves when more may be written. Throws {@link UploadTooLargeError}; the upload is then gone. */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes it durable, and readable for every process. */
  finish(): Promise<Upload>;
  /** Forgets what came. Does nothing after `finish`. */
  abort(): Promise<void>;
}

/** Thrown when an upload passes its `bytesMax`. HTTP says 413. */
export class UploadTooLargeError extends Error {
  override readonly name = 'UploadTooLargeError';
  readonly bytesMax: number;

  constructor(bytesMax: number) {
    super(`the upload has more than ${bytesMax} bytes`);
    this.bytesMax = bytesMax;
  }
}

/** Spooled bodies, in a store that all processes share. Every method rejects while the store is down or full. */
export interface Uploads {
  create(limits: { readonly bytesMax: number }): Promise<UploadWriter>;
  /** Undefined for one that was never finished, or is removed. */
  find(id: string): Promise<Upload | undefined>;
  /** The bytes in order, in pieces of at most {@link uploadPieceBytesMax}. Iterating throws when there is no such upload. */
  read(id: string): AsyncIterable<Uint8Array>;
  /** Does nothing where there is none. */
  remove(id: string): Promise<void>;
  /** Removes what crashes left: everything, finished or not, last written before `beforeMs`. Returns how many. */
  sweep(beforeMs: number): Promise<number>;
}

export const uploadPieceBytesMax = 1024 * 1024;
