/** Tells the person at the command. */
export function print(text: string): void {
  console.log(text);
}
