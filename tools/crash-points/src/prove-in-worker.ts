import { parentPort, workerData } from 'node:worker_threads';
import { worldsOf } from './adapters.ts';
import { prove } from './proof.ts';
import type { WorkerShare } from './prove-together.ts';

/** So often the one who waits is told how far it is. */
const tellEveryMs = 1_000;

const { adapters, ...share } = workerData as WorkerShare;
const worlds = await worldsOf(adapters);
if (worlds === undefined) {
  throw new RangeError(`there are no adapters ${adapters}`);
}
let toldAtMs = performance.now();
const result = await prove({
  worlds,
  ...share,
  onProgress: (sofar) => {
    if (performance.now() - toldAtMs > tellEveryMs) {
      toldAtMs = performance.now();
      parentPort?.postMessage(sofar);
    }
  },
});
await worlds.close?.();
parentPort?.postMessage(result);
