/** Thrown where OED answers that an upload, or all that follows from a row of it on, is not taken. */
export class RefusedUploadError extends Error {
  override readonly name = 'RefusedUploadError';
}
