import { request, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { localCredential } from '@meterflow/http/client';
import type { Role } from '@meterflow/registry';

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path and query. */
  readonly path: string;
  readonly tenant: string;
  readonly role: Role;
  readonly body?: unknown;
}

/** What the server refused, in its own words. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly status: number;
  readonly code: string;

  constructor(status: number, problem: { readonly code?: string; readonly title?: string; readonly detail?: string }) {
    super(problem.detail ?? problem.title ?? `the server answered ${status}`);
    this.status = status;
    this.code = problem.code ?? String(status);
  }
}

/** Talks to one service of the server on this machine, over its socket in the data directory. */
export class LocalClient {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
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
    for await (const line of createInterface({ input: await this.stream(call) })) {
      yield JSON.parse(line);
    }
  }

  #send({ method = 'GET', path, tenant, role, body }: Call): Promise<IncomingMessage> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      authorization: `Bearer ${localCredential(role, tenant)}`,
      ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
    };
    return new Promise((resolve, reject) => {
      const outgoing = request({ socketPath: this.#socketPath, method, path, headers }, resolve);
      outgoing.on('error', reject);
      outgoing.end(payload);
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

function problemOf(text: string): { code?: string; title?: string; detail?: string } {
  try {
    return JSON.parse(text) as object;
  } catch {
    return { detail: text.slice(0, 200) };
  }
}
