import { cpus, totalmem } from 'node:os';

/** What was measured on. */
export const machine = {
  cores: cpus().length,
  model: cpus()[0]?.model,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  node: process.version,
};
