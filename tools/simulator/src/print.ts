/** What the command says. */
export function print(text: string): void {
  console.log(text);
}
