import type { BigtableStores } from '../open-stores.ts';

/** What a process sees of its own end. */
export class CutShort extends Error {
  override readonly name = 'CutShort';
}

export interface Cut {
  /** The call that is the last, from 1. */
  readonly call: number;
  /** `after`: it is done in the world, and its answer is lost. */
  readonly where: 'before' | 'after';
}

/**
 * Ends what the stores do at a call to Bigtable: neither this one's answer nor any later call comes through. Returns what
 * mends their connection for others.
 */
export function cutShort({ connection }: BigtableStores, { call: last, where }: Cut): () => void {
  const call = connection.call.bind(connection);
  const stream = connection.stream.bind(connection);
  let calls = 0;
  const ends = (): boolean => {
    calls += 1;
    if (calls > last || (calls === last && where === 'before')) {
      throw new CutShort(`cut ${where} call ${last}`);
    }
    return calls === last;
  };
  connection.call = async (...request) => {
    const isLast = ends();
    const answer = await call(...request);
    if (isLast) {
      throw new CutShort(`cut after call ${last}`);
    }
    return answer;
  };
  connection.stream = async function* (...request) {
    const isLast = ends();
    const parts: Buffer[] = [];
    for await (const part of stream(...request)) {
      parts.push(part);
    }
    if (isLast) {
      throw new CutShort(`cut after call ${last}`);
    }
    yield* parts;
  };
  return () => {
    Object.assign(connection, { call, stream });
  };
}
