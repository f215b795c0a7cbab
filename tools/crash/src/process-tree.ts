import { readdirSync, readFileSync } from 'node:fs';

/** One process that we started, or that what we started started. */
export interface TreeProcess {
  readonly pid: number;
  /** With the pid it names one process for ever: a pid is used again. */
  readonly startTicks: string;
  /** The service's name; `supervisor` for the command itself, `sandbox` for a child that runs rules. */
  readonly name: string;
}

interface Stat {
  readonly state: string;
  readonly parent: number;
  readonly startTicks: string;
}

/** The process `root` and all its descendants, as they are now (Linux: proc(5)). */
export function processTree(root: number): readonly TreeProcess[] {
  const stats = new Map<number, Stat>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    const stat = Number.isInteger(pid) ? statOf(pid) : undefined;
    if (stat !== undefined && stat.state !== 'Z') {
      stats.set(pid, stat);
    }
  }
  const belongs = (pid: number): boolean => {
    const stat = stats.get(pid);
    return pid === root ? stat !== undefined : stat !== undefined && belongs(stat.parent);
  };
  return [...stats]
    .filter(([pid]) => belongs(pid))
    .map(([pid, { startTicks }]) => ({ pid, startTicks, name: pid === root ? 'supervisor' : nameOf(pid) }));
}

export function isAlive({ pid, startTicks }: TreeProcess): boolean {
  const stat = statOf(pid);
  return stat?.startTicks === startTicks && stat.state !== 'Z';
}

/** Signals this very process; false when it has ended already. */
export function signalProcess(found: TreeProcess, signal: NodeJS.Signals): boolean {
  if (!isAlive(found)) {
    return false;
  }
  try {
    return process.kill(found.pid, signal);
  } catch {
    return false;
  }
}

function statOf(pid: number): Stat | undefined {
  const text = textOf(`/proc/${pid}/stat`);
  // What stands before the last bracket is the name, which may hold anything.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent] = fields ?? [];
  const startTicks = fields?.[19];
  return state === undefined || startTicks === undefined ? undefined : { state, parent: Number(parent), startTicks };
}

function nameOf(pid: number): string {
  const words = (textOf(`/proc/${pid}/cmdline`) ?? '').split('\0');
  const service = words
    .map((word) => /(?:apps\/|dist\/)?([a-z-]+)\/(?:src\/)?main\.[jt]s$/.exec(word)?.[1])
    .find(Boolean);
  return words.some((word) => /sandbox.*child/.test(word)) ? 'sandbox' : (service ?? 'other');
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    // It has ended since its folder was listed.
    return undefined;
  }
}
