import { UnreadableSourceError } from '@meterflow/formats';

/**
 * Content in pieces, as far as the tenant's `bytesPerRequest` allows it: of a file that is larger as it is, packed or not,
 * nothing; of one that unpacks to more, what comes before. Then iterating throws {@link UnreadableSourceError}.
 */
export async function* withinBytes(
  content: AsyncIterable<Uint8Array>,
  { fileBytes, bytesMax }: { readonly fileBytes: number; readonly bytesMax: number },
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  if (fileBytes > bytesMax) {
    throw tooLarge(`it has ${fileBytes}`, bytesMax);
  }
  for await (const piece of content) {
    bytes += piece.length;
    if (bytes > bytesMax) {
      throw tooLarge('it unpacks to more', bytesMax);
    }
    yield piece;
  }
}

function tooLarge(found: string, bytesMax: number): UnreadableSourceError {
  const reason = `a file may have ${bytesMax} bytes (the tenant's quota bytesPerRequest), and ${found}`;
  return new UnreadableSourceError('source-too-large', `${reason}: split it, or have the quota raised`);
}
