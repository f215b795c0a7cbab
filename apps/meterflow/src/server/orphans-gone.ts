import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DataDirectory } from '@meterflow/embedded';
import { localSocket, publicSocket } from './sockets.ts';

/** Longer than a service drains whose supervisor was killed (orphanDrainMsDefault of libs/graceful-shutdown). */
const orphanMsMax = 5_000;
const lookEveryMs = 50;

/**
 * Resolves when no service of a server that was killed answers on a socket of the directory any more: the sockets are
 * then free. Their work may overlap with that of the new services, which is safe; two may not listen in one place.
 */
export async function orphansGone(directory: DataDirectory): Promise<void> {
  const untilMs = performance.now() + orphanMsMax;
  const sockets = (['ingest', 'control'] as const).flatMap((service) => [
    publicSocket(directory, service),
    localSocket(directory, service),
  ]);
  while (performance.now() < untilMs) {
    const answered = await Promise.all(sockets.map(answers));
    if (!answered.includes(true)) {
      return;
    }
    await sleep(lookEveryMs);
  }
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socket);
    const end = (answered: boolean) => (): void => {
      probe.destroy();
      resolve(answered);
    };
    probe.once('connect', end(true)).once('error', end(false));
  });
}
