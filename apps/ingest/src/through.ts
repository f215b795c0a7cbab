import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** What a stream makes of some content. What goes wrong in either is thrown to whoever iterates. */
export async function* through(bytes: AsyncIterable<Uint8Array>, stream: Duplex): AsyncGenerator<Uint8Array> {
  const fed = pipeline(bytes, stream).catch(() => undefined);
  try {
    for await (const piece of stream) {
      yield piece as Uint8Array;
    }
  } finally {
    stream.destroy();
    await fed;
  }
}
