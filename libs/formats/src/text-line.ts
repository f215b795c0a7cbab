import { lineBytesMax } from './limits.ts';
import type { RowProblem } from './row.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const carriageReturn = 13;
const tab = 9;

/** The text of the line in bytes [from, to), to its line feed, without a carriage return at the end; or why it is none. */
export function textOfLine(bytes: Uint8Array, from: number, to: number): string | RowProblem {
  if (to - from > lineBytesMax) {
    return lineProblem('line-too-long', `is longer than ${lineBytesMax} bytes`);
  }
  const end = to > from && bytes[to - 1] === carriageReturn ? to - 1 : to;
  if (printableEnd(bytes, from, end) === end) {
    return latin1Text(bytes, from, end);
  }
  const text = decoded(bytes.subarray(from, end));
  if (text === undefined) {
    return lineProblem('invalid-utf8', 'is not UTF-8');
  }
  return hasControls(text) ? lineProblem('control-character', 'holds a control character') : text;
}

/** Where printable ASCII and tabs end; `to` where all is. */
export function printableEnd(bytes: Uint8Array, from: number, to: number): number {
  for (let position = from; position < to; position++) {
    const byte = bytes[position] as number;
    if ((byte < 32 && byte !== tab) || byte > 126) {
      return position;
    }
  }
  return to;
}

export function latin1Text(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');
}

export function lineProblem(code: string, reason: string): RowProblem {
  return { field: 'line', code, reason };
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Tabs are white space; the other control characters have no place in a line. */
function hasControls(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if ((code < 32 && code !== tab) || code === 127) {
      return true;
    }
  }
  return false;
}
