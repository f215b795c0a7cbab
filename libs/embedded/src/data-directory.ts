import { join } from 'node:path';

/** Where each part of an embedded server keeps its files, all under one directory that belongs to one user. */
export interface DataDirectory {
  readonly root: string;
  /** Held by the running server; says nothing. */
  readonly lock: string;
  /** Who the running server is. */
  readonly server: string;
  /** Unix sockets of the running server. */
  readonly run: string;
  readonly drop: string;
  readonly uploads: string;
  readonly rules: string;
  readonly topology: string;
  topic(name: string): string;
  subscription(name: string): string;
  store(name: 'raw' | 'validated' | 'aggregates' | 'contributions'): string;
  /** What a subscription's stage remembers of keys: a file each, so that stages don't wait for one another. */
  dedupe(subscription: string): string;
  state(name: 'registry' | 'sources' | 'tickets' | 'dead-letters'): string;
}

export function dataDirectory(root: string): DataDirectory {
  return {
    root,
    lock: join(root, 'lock.sqlite'),
    server: join(root, 'server.sqlite'),
    run: join(root, 'run'),
    drop: join(root, 'drop'),
    uploads: join(root, 'uploads'),
    rules: join(root, 'rules'),
    topology: join(root, 'bus', 'topology.sqlite'),
    topic: (name) => join(root, 'bus', `topic-${name}.sqlite`),
    subscription: (name) => join(root, 'bus', `subscription-${name}.sqlite`),
    store: (name) => join(root, 'stores', `${name}.sqlite`),
    dedupe: (subscription) => join(root, 'state', `dedupe-${subscription}.sqlite`),
    state: (name) => join(root, 'state', `${name}.sqlite`),
  };
}
