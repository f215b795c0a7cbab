/** Writes one line for the person who ran the command. */
export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}
