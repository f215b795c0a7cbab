// Starts the part that its argument names, says its pid and working folder, and waits to be killed.
import { readlinkSync } from 'node:fs';
import { startBigtableEmulator, startPubsubEmulator, startRedis } from '../index.ts';

const starts = {
  'pubsub-emulator': startPubsubEmulator,
  'bigtable-emulator': startBigtableEmulator,
  redis: () => startRedis(),
};
const part = await starts[process.argv[2] as keyof typeof starts]();
process.stdout.write(JSON.stringify({ pid: part.pid, folder: readlinkSync(`/proc/${part.pid}/cwd`) }));
setInterval(() => undefined, 1_000);
