import { hash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';

/** A program that the server runs at one go: nothing comes between its steps. */
export interface Script {
  readonly text: string;
  readonly sha1: string;
}

export interface ScriptInput {
  /** Of one slot where the server is a cluster. */
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
}

export function script(text: string): Script {
  return { text, sha1: hash('sha1', text, 'hex') };
}

/**
 * Runs the script by its name; a server that does not have it (it is new, was restarted, flushed or took over from
 * another) is sent the text, once.
 */
export async function runScript(client: Redis | Cluster, { text, sha1 }: Script, input: ScriptInput): Promise<unknown> {
  const args = [...input.keys, ...input.args];
  try {
    return await client.evalsha(sha1, input.keys.length, ...args);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) {
      throw error;
    }
    return client.eval(text, input.keys.length, ...args);
  }
}
