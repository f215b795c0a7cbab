// Runs before `npm start`, `npm test` and `npm run bench`: installs when `node_modules` is missing or does not hold what
// package-lock.json says. Plain JavaScript without dependencies, for any Node from 18 on, because nothing is installed yet.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** The `packages` of a lock file by path, or undefined where there is no such file. */
function packagesIn(lockFile) {
  try {
    return JSON.parse(readFileSync(join(root, lockFile), 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** npm keeps a second lock inside node_modules of what it really installed; it leaves out what this platform has no use for. */
function whatIsStale() {
  const wanted = packagesIn('package-lock.json');
  const installed = packagesIn('node_modules/.package-lock.json');
  if (wanted === undefined) {
    throw new Error('package-lock.json is missing or cannot be read');
  }
  if (installed === undefined) {
    return 'node_modules is missing';
  }
  const stale = Object.entries(wanted).find(([path, { version, link, optional, devOptional }]) => {
    const found = installed[path];
    if (!path.includes('node_modules/') || (found === undefined && (optional || devOptional))) {
      return false;
    }
    return found === undefined || found.version !== version || found.link !== link;
  });
  return stale && `${stale[0]} is not as in package-lock.json`;
}

const reason = whatIsStale();
if (reason) {
  process.stdout.write(`Installing (${reason}); this takes a minute.\n`);
  const npm = process.env.npm_execpath;
  const options = { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] };
  const { status, error } = npm?.endsWith('.js')
    ? spawnSync(process.env.npm_node_execpath ?? process.execPath, [npm, 'ci'], options)
    : spawnSync('npm', ['ci'], { ...options, shell: process.platform === 'win32' });
  if (status !== 0) {
    process.stderr.write(`npm ci failed${error ? `: ${error.message}` : ''}\n`);
    process.exit(status || 1);
  }
}
