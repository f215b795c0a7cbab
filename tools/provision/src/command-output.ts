export interface CommandOutput {
  readonly line: (text: string) => void;
  readonly problem: (text: string) => void;
}

/** Of this process. */
export const commandOutput: CommandOutput = {
  line: (text) => process.stdout.write(`${text}\n`),
  problem: (text) => process.stderr.write(`${text}\n`),
};
