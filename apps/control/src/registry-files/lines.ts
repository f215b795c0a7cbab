/** So long may a line of a registry file be. */
export const registryLineBytesMax = 64 * 1024;

export interface FileLine {
  /** From 1. */
  readonly number: number;
  /** Undefined: it is no UTF-8, or too long, as `problem` says. */
  readonly text: string | undefined;
  readonly problem?: string;
}

const lineFeed = 10;

/** The lines of a text as it comes in, in memory no more than a piece and a line of it. Blank ones are left out. */
export async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<FileLine> {
  let rest = Buffer.alloc(0);
  let isTooLong = false;
  let number = 0;
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const line = (content: Uint8Array): FileLine | undefined => {
    number += 1;
    if (isTooLong || content.length > registryLineBytesMax) {
      isTooLong = false;
      return { number, text: undefined, problem: `longer than ${registryLineBytesMax} bytes` };
    }
    try {
      const text = decoder.decode(content).trim();
      return text === '' ? undefined : { number, text };
    } catch {
      return { number, text: undefined, problem: 'no UTF-8: save the file as UTF-8' };
    }
  };
  for await (const piece of bytes) {
    let content = rest.length === 0 ? Buffer.from(piece) : Buffer.concat([rest, piece]);
    for (let end = content.indexOf(lineFeed); end >= 0; end = content.indexOf(lineFeed)) {
      const found = line(content.subarray(0, end));
      content = content.subarray(end + 1);
      if (found !== undefined) {
        yield found;
      }
    }
    if (content.length > registryLineBytesMax) {
      isTooLong = true;
      content = Buffer.alloc(0);
    }
    rest = Buffer.from(content);
  }
  const last = rest.length > 0 || isTooLong ? line(rest) : undefined;
  if (last !== undefined) {
    yield last;
  }
}
