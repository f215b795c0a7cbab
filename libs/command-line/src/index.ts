export { note, print } from './print.ts';
export { parseOptions } from './parse-options.ts';
export { refuse } from './refuse.ts';
export { wholeNumber } from './whole-number.ts';
