import { refuse } from './refuse.ts';

/** The number that an option was given. Ends the process with 2 where it is none, or below `least`. */
export function wholeNumber(option: string, text: string, least = 1): number {
  const number = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(number) || number < least) {
    return refuse(`--${option} is a whole number from ${least} on, not ${JSON.stringify(text)}`);
  }
  return number;
}
