import { setTimeout as sleep } from 'node:timers/promises';
import { MeterflowCommand, type LogLine } from './command.ts';
import { messagesWaiting } from './local-calls.ts';
import type { Piece } from './pieces.ts';
import { shuffled } from './random.ts';
import { sendPiece } from './send-piece.ts';
import { until } from './until.ts';

/** What `meterflow dev --with` takes. */
export type Ground = 'embedded' | 'google-emulators';

/** A `meterflow dev` that is started again whenever it ends, until it is told to stop. */
export class DevServer {
  readonly dataDir: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #on: Ground;
  readonly #runs: MeterflowCommand[] = [];
  #stopping = false;

  constructor(dataDir: string, env: Readonly<Record<string, string>> = {}, on: Ground = 'embedded') {
    this.dataDir = dataDir;
    this.#env = env;
    this.#on = on;
    this.#start();
  }

  get current(): MeterflowCommand {
    return this.#runs.at(-1) as MeterflowCommand;
  }

  get starts(): number {
    return this.#runs.length;
  }

  get log(): readonly LogLine[] {
    return this.#runs.flatMap(({ log }) => log);
  }

  /** Resolves once a run of it is up. */
  async up(): Promise<void> {
    await until('meterflow dev is up', async () => ((await this.current.firstLine()) === undefined ? undefined : true));
  }

  /** SIGTERM; resolves with the exit code. */
  async stop(): Promise<number | null> {
    this.#stopping = true;
    this.current.terminate();
    return (await this.current.ended()).code;
  }

  /** Ends whatever is left of it. */
  killAll(): void {
    this.#stopping = true;
    this.#runs.forEach((run) => run.killAll());
  }

  #start(): void {
    const run = new MeterflowCommand({
      args: ['dev', '--with', this.#on, '--port', '0'],
      dataDir: this.dataDir,
      env: this.#env,
    });
    this.#runs.push(run);
    void run.ended().then(() => {
      if (!this.#stopping) {
        this.#start();
      }
    });
  }
}

const importsAtOnce = 2;
/** More is sent only while no more messages than this wait: what is killed all the time would never catch up. */
const backlogMax = 50;
const patience = { withinMs: 600_000, everyMs: 100 };

export interface Feed {
  /** Sends what is left of the pass that has begun, then no more. Resolves with how often a piece was sent again. */
  finish(): Promise<number>;
}

export interface FeedOptions {
  readonly dataDir: string;
  readonly pieces: readonly Piece[];
  readonly random: () => number;
  /** Whether more may be sent; where not told, by the messages that wait. */
  readonly keepsUp?: () => Promise<boolean>;
}

/** Sends all pieces over and over, each time in another order, two at once. */
export function feed(options: FeedOptions): Feed {
  const { dataDir, pieces, random, keepsUp = () => isSmall(dataDir) } = options;
  let finishing = false;
  const send = async (): Promise<number> => {
    let again = 0;
    for (let pass = 1; pass === 1 || !finishing; pass += 1) {
      const waiting = shuffled(pieces, random);
      const sender = async (): Promise<void> => {
        for (let piece = waiting.pop(); piece !== undefined; piece = waiting.pop()) {
          await until('the backlog is small', async () => (await keepsUp()) || undefined, patience);
          again += (await sendPiece(dataDir, piece, `pass-${pass}`)).attempts - 1;
        }
      };
      await Promise.all(Array.from({ length: importsAtOnce }, sender));
    }
    return again;
  };
  const sent = send();
  // Told to whoever finishes; until then nobody listens.
  sent.catch(() => undefined);
  return {
    finish: () => {
      finishing = true;
      return sent;
    },
  };
}

async function isSmall(dataDir: string): Promise<boolean> {
  const waiting = await messagesWaiting(dataDir);
  return waiting !== undefined && waiting <= backlogMax;
}

/** Resolves when no message waits anywhere, twice in a row. */
export async function idle(dataDir: string, withinMs = 300_000): Promise<void> {
  let before = false;
  await until(
    'no message waits anywhere',
    async () => {
      const now = (await messagesWaiting(dataDir)) === 0;
      const both = now && before;
      before = now;
      return both || undefined;
    },
    { withinMs, everyMs: 100 },
  );
}

/** Imports every piece once, in order, with nobody disturbing; drains. */
export async function runUndisturbed(dataDir: string, pieces: readonly Piece[]): Promise<void> {
  const server = new DevServer(dataDir);
  try {
    await server.up();
    for (const piece of pieces) {
      await sendPiece(dataDir, piece, 'only');
    }
    await idle(dataDir);
    const code = await server.stop();
    if (code !== 0) {
      throw new Error(`meterflow dev drained with ${String(code)}: ${server.current.errors.slice(-2_000)}`);
    }
  } finally {
    server.killAll();
    await sleep(0);
  }
}
