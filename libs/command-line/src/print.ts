/** A line of result on standard output. */
export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** A line for the person who waits, on standard error: what reads the result does not see it. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}
