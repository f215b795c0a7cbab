/** Thrown when a batch breaks a rule of the store itself, so that no retry can store it. `code` is stable. */
export class UnstorableBatchError extends Error {
  override readonly name = 'UnstorableBatchError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
