import { Problem } from './problem.ts';

/** The bytes of a body, no more than `bytesMax` of them. */
export async function* limitedBytes(
  source: AsyncIterable<Uint8Array>,
  limits: { readonly bytesMax: number; readonly announced: string | undefined },
): AsyncGenerator<Uint8Array> {
  const tooLarge = (): Problem => new Problem('body-too-large', `the body may have ${limits.bytesMax} bytes at most`);
  if (limits.announced !== undefined && Number(limits.announced) > limits.bytesMax) {
    throw tooLarge();
  }
  let bytes = 0;
  try {
    for await (const piece of source) {
      bytes += piece.length;
      if (bytes > limits.bytesMax) {
        throw tooLarge();
      }
      yield piece;
    }
  } catch (error) {
    throw isCutShort(error)
      ? new Problem('incomplete-body', 'the connection ended before the body did', { cause: error })
      : error;
  }
}

/** A body that may have a property `__proto__`, written plainly or escaped: few have, and looking at each property costs. */
const mayName = /__proto__|\\u00(?:5f|70|72|6f|74)/i;

/** Schemas leave such a property out, as if it had not been sent: what can't be taken must be refused. */
function refuseProto(name: string, value: unknown): unknown {
  if (name === '__proto__') {
    throw new SyntaxError('a property can not be called __proto__: leave it out');
  }
  return value;
}

/** Reads a body whole and parses it. */
export async function readJson(bytes: AsyncIterable<Uint8Array>): Promise<unknown> {
  const pieces: Uint8Array[] = [];
  for await (const piece of bytes) {
    pieces.push(piece);
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces));
    return JSON.parse(text, mayName.test(text) ? refuseProto : undefined) as unknown;
  } catch (error) {
    throw new Problem('invalid-json', error instanceof Error ? error.message : 'not JSON', { cause: error });
  }
}

/** Without its parameters, in lower case; '' where there is none. */
export function mediaType(contentType: string | undefined): string {
  return (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

function isCutShort(error: unknown): boolean {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}
