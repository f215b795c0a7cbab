#!/usr/bin/env node
// The command runs on the Node that the workspace pins, whatever Node the machine has: the sandbox is built for that one,
// and the sources are TypeScript that it runs as they are. Plain JavaScript, because an older Node starts this file.
import { spawn } from 'node:child_process';
import module, { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const majorWanted = 24;
const parentWatchMs = 250;
const major = Number(process.versions.node.split('.')[0]);

/** The pinned Node of this platform, or undefined where npm installed none. */
function pinnedNode() {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  try {
    const folder = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
    return join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  } catch {
    return undefined;
  }
}

/**
 * Ends with the parent. Between npm (or npx) and this process stands a shell that passes no signal on: without this, ending
 * npm would leave the pipeline running. SIGTERM to itself means the ordinary drain.
 */
function endWithParent() {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid !== parent) {
      clearInterval(watch);
      process.kill(process.pid, 'SIGTERM');
    }
  }, parentWatchMs);
  watch.unref();
}

/** Stands in for the child: passes signals on and ends the way the child ends. */
function runUnder(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, METERFLOW_LAUNCHED: '1' },
  });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the child as well; twice would mean "at once" instead of "drain".
      if (signal !== 'SIGINT' || !process.stdin.isTTY) {
        child.kill(signal);
      }
    });
  }
  child.on('error', (error) => {
    process.stderr.write(`meterflow: cannot start ${node}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) {
      process.exit(code ?? 1);
    }
    for (const passedOn of signals) {
      process.removeAllListeners(passedOn);
    }
    process.kill(process.pid, signal);
  });
}

if (process.env.npm_command !== undefined || process.env.METERFLOW_LAUNCHED !== undefined) {
  endWithParent();
}
const node = major === majorWanted ? undefined : pinnedNode();
if (node !== undefined) {
  runUnder(node);
} else if (major >= majorWanted) {
  // Sources are stripped of their types once, not at every start; the services take the folder over.
  module.enableCompileCache();
  await import('../src/main.ts');
} else {
  process.stderr.write(`meterflow needs Node ${majorWanted} or newer; this is ${process.version}. Run npm ci first.\n`);
  process.exitCode = 1;
}
