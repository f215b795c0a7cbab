/** A line of result on standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A line for the person who waits, on standard error. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}
