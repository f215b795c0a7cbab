import { note } from './print.ts';

/** Ends the process with 2: whoever called it has to mend what the problem says. */
export function refuse(problem: string): never {
  note(problem);
  process.exit(2);
}
