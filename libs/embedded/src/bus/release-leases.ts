import type { DatabaseSync } from 'node:sqlite';
import { transaction } from '../database.ts';
import type { BusFiles } from './bus-files.ts';
import { noOwner } from './subscription-file.ts';

/** Makes what dead owners hold due at once, on every subscription; returns how many messages. */
export function releaseLeases(files: BusFiles, isDead: (owner: string) => boolean, nowMs: number): number {
  return files.topology
    .subscriptions()
    .reduce((sum, { name }) => sum + files.onSubscription(name, (file) => releaseDead(file, isDead, nowMs)), 0);
}

function releaseDead(subscription: DatabaseSync, isDead: (owner: string) => boolean, nowMs: number): number {
  const owners = subscription.prepare('select distinct owner from unsettled where owner <> ?').all(noOwner);
  const dead = owners.map((row) => String(row['owner'])).filter(isDead);
  if (dead.length === 0) {
    return 0;
  }
  const release = subscription.prepare('update unsettled set owner = ?, dueAtMs = ? where owner = ?');
  return transaction(subscription, () =>
    dead.reduce((sum, owner) => sum + Number(release.run(noOwner, Math.trunc(nowMs), owner).changes), 0),
  );
}
