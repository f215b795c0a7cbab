import { MalformedMessageError } from './malformed-message-error.ts';

/** Checks a limit on the encoding side; a decoder has refused the same before it allocated anything. */
export function checkCount(path: string, count: number, countMax: number): void {
  if (count > countMax) {
    throw new MalformedMessageError('message-limit', path, `${count}; at most ${countMax}`);
  }
}
