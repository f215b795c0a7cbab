import { request, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { localCredential } from '@meterflow/http/client';
import type { Role } from '@meterflow/registry';

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query. */
  readonly path: string;
  readonly tenant: string;
  readonly role: Role;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is. */
  readonly content?: { readonly type: string; readonly text: string };
}

/** Thrown when nobody answers on the socket for so long as the client waits, though a server holds the directory. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
  /** Of the last try. */
  readonly code: string;

  constructor(code: string, options: ErrorOptions) {
    super('the server does not answer; it may be starting or stopping: look at its log, and try again', options);
    this.code = code;
  }
}

/** A service that starts, or starts again, is waited for so long. */
const connectMsMaxDefault = 15_000;
const connectAgainMs = 50;
/** Nobody listens, and so nothing was sent. */
const nobodyListens: readonly unknown[] = ['ENOENT', 'ECONNREFUSED'];

const unansweredCodes: readonly unknown[] = [...nobodyListens, 'ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'];

/** Whether a call failed because the process behind the socket ended, or is not up yet. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof Error && 'code' in error && unansweredCodes.includes(error.code);
}

interface ProblemBody {
  readonly code?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly errors?: readonly { readonly at: string; readonly problem: string }[];
}

/** What the server refused, in its own words. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly status: number;
  readonly code: string;

  constructor(status: number, problem: ProblemBody) {
    super(messageOf(problem) ?? `the server answered ${status}`);
    this.status = status;
    this.code = problem.code ?? String(status);
  }
}

/** Talks to one service of the server on this machine, over its socket in the data directory. */
export class LocalClient {
  readonly #socketPath: string;
  readonly #connectMsMax: number;

  constructor(socketPath: string, { connectMsMax = connectMsMaxDefault }: { readonly connectMsMax?: number } = {}) {
    this.#socketPath = socketPath;
    this.#connectMsMax = connectMsMax;
  }

  /** The answer's body as it was sent: numbers keep all their digits. Throws {@link RefusedError}. */
  async text(call: Call): Promise<string> {
    return textOf(await this.stream(call));
  }

  async json(call: Call): Promise<unknown> {
    const text = await this.text(call);
    return text === '' ? undefined : JSON.parse(text);
  }

  /** The answer's body as it comes. */
  async stream(call: Call): Promise<IncomingMessage> {
    const answer = await this.#send(call);
    if ((answer.statusCode ?? 500) >= 400) {
      throw new RefusedError(answer.statusCode ?? 500, problemOf(await textOf(answer)));
    }
    return answer;
  }

  /** The lines of an NDJSON answer, as they come. */
  async *lines(call: Call): AsyncGenerator {
    for await (const line of this.textLines(call)) {
      yield JSON.parse(line);
    }
  }

  /** The same as they were written: numbers keep all their digits. */
  async *textLines(call: Call): AsyncGenerator<string> {
    yield* createInterface({ input: await this.stream(call) });
  }

  async #send(call: Call): Promise<IncomingMessage> {
    const untilMs = performance.now() + this.#connectMsMax;
    for (;;) {
      try {
        return await this.#sendOnce(call);
      } catch (error) {
        const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
        if (!nobodyListens.includes(code)) {
          throw error;
        }
        if (performance.now() > untilMs) {
          throw new NoAnswerError(String(code), { cause: error });
        }
        await sleep(connectAgainMs);
      }
    }
  }

  #sendOnce({ method = 'GET', path, tenant, role, body, content }: Call): Promise<IncomingMessage> {
    const sent = body === undefined ? content : { type: 'application/json', text: JSON.stringify(body) };
    const headers = {
      authorization: `Bearer ${localCredential(role, tenant)}`,
      ...(sent === undefined ? {} : { 'content-type': sent.type }),
    };
    return new Promise((resolve, reject) => {
      const outgoing = request({ socketPath: this.#socketPath, method, path, headers }, resolve);
      outgoing.on('error', reject);
      outgoing.end(sent?.text);
    });
  }
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of answer.setEncoding('utf8')) {
    text += piece as string;
  }
  return text;
}

/** One line, or one for each of several things that are wrong. */
function messageOf({ title, detail, errors = [] }: ProblemBody): string | undefined {
  return errors.length > 1 ? errors.map(({ at, problem }) => `${at}: ${problem}`).join('\n  ') : (detail ?? title);
}

function problemOf(text: string): ProblemBody {
  try {
    return JSON.parse(text) as object;
  } catch {
    return { detail: text.slice(0, 200) };
  }
}
