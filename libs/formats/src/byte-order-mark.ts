import { UnreadableSourceError } from './unreadable-source-error.ts';

/** Skips the mark of UTF-8 at a source's beginning. Throws {@link UnreadableSourceError} for that of UTF-16. */
export function afterByteOrderMark(bytes: Uint8Array, from: number): number {
  const [first, second, third] = bytes.subarray(from, from + 3);
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    throw new UnreadableSourceError('unsupported-encoding', 'the source is in UTF-16: send it in UTF-8');
  }
  return first === 0xef && second === 0xbb && third === 0xbf ? from + 3 : from;
}
