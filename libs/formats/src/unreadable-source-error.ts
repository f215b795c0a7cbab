/**
 * Thrown by `push` or `end` when the source as a whole can't be read with this mapping (no such column in the header,
 * UTF-16, a broken JSON document). Nothing that follows in it will be read either. `code` is stable.
 */
export class UnreadableSourceError extends Error {
  override readonly name = 'UnreadableSourceError';
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
