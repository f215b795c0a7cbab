// Run as a process of its own: takes the lock of a data directory, says so or why not, and waits to be killed.
import { lockDirectory } from '../lock.ts';

const [root = '', socket = ''] = process.argv.slice(2);
try {
  lockDirectory(root, { pid: process.pid, socket });
  process.stdout.write('locked\n');
  setInterval(() => undefined, 1_000);
} catch (error) {
  process.stdout.write(`${String(error)}\n`);
}
