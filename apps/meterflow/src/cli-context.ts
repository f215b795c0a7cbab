import { resolve } from 'node:path';
import type { ReadStream, WriteStream } from 'node:tty';

/** What every command is told before its own options. */
export interface GlobalOptions {
  readonly dataDir: string;
  /** Machine-readable output on standard output; nothing else goes there then. */
  readonly json: boolean;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}

export interface RawGlobalOptions {
  readonly dataDir: string;
  readonly json?: boolean;
  readonly logLevel: GlobalOptions['logLevel'];
}

export const dataDirDefault = 'meterflow-data';

export function globalOptions(raw: RawGlobalOptions): GlobalOptions {
  return { dataDir: resolve(raw.dataDir), json: raw.json === true, logLevel: raw.logLevel };
}

/** Where a command writes, and whom it can ask. */
export interface Output {
  /** A line of result, on standard output. */
  line(text: string): void;
  /** A line for the person in front of it, on standard error. */
  note(text: string): void;
  /** Standard error, for what is drawn over itself. */
  readonly terminal: WriteStream;
  /** Standard input, for a question. */
  readonly input: ReadStream;
}

/** Thrown when nobody takes what a command says: its pipe was closed (`| head`), or the disk of its file is full. */
export class OutputError extends Error {
  override readonly name = 'OutputError';
  /** Whoever read it has read enough. */
  readonly closed: boolean;

  constructor(cause: NodeJS.ErrnoException) {
    super(`standard output can't be written: ${cause.message}`, { cause });
    this.closed = cause.code === 'EPIPE';
  }
}

let outputError: OutputError | undefined;

/** What failed of standard output is told to `told` at once, and thrown at whoever writes the next line. */
export function watchOutput(told: (error: OutputError) => void): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    outputError ??= new OutputError(error);
    told(outputError);
  });
  // Nobody is left to tell.
  process.stderr.on('error', () => undefined);
}

export const processOutput: Output = {
  line: (text) => {
    if (outputError !== undefined) {
      throw outputError;
    }
    process.stdout.write(`${text}\n`);
  },
  note: (text) => {
    process.stderr.write(`${text}\n`);
  },
  terminal: process.stderr,
  input: process.stdin,
};

/** What a command is called with beside its own options. */
export interface Surroundings {
  readonly globals: () => GlobalOptions;
  readonly output: Output;
}

/** The same once the command line is parsed. */
export interface Told {
  readonly globals: GlobalOptions;
  readonly output: Output;
}

/** Stable, for whoever reads errors by machine; docs/cli.md lists them. */
export type CommandErrorCode =
  | 'data-missing'
  | 'deadline-not-kept'
  | 'file-exists'
  | 'file-missing'
  | 'import-failed'
  | 'not-confirmed'
  | 'not-clean'
  | 'not-found'
  | 'not-stored'
  | 'not-written'
  | 'not-idle'
  | 'nothing-chosen'
  | 'hpa-invalid'
  | 'plan-invalid'
  | 'trace-invalid'
  | 'rule-invalid'
  | 'sample-invalid'
  | 'server-gone'
  | 'tariff-invalid'
  | 'tests-failed'
  | 'not-configured';

/** Thrown when a command can't do what it was told; the message says what to do. Exits 1. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: CommandErrorCode;

  constructor(code: CommandErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
