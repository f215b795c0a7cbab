/** Thrown when a reading, or a part of one, breaks a rule that no retry mends. `code` is stable: receipts show it. */
export class InvalidReadingError extends Error {
  override readonly name = 'InvalidReadingError';
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
