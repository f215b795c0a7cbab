import { readdirSync, readFileSync } from 'node:fs';

/** One process of a tree, as Linux accounts for it (proc(5)). */
export interface ProcessUsage {
  readonly pid: number;
  readonly name: string;
  readonly cpuSeconds: number;
  /** Peak resident memory since its start. */
  readonly memoryBytesPeak: number;
  /** What is resident of its own now: heaps and caches, without files that are mapped. */
  readonly memoryBytesOwn: number;
}

/** Clock ticks a second; 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** The process `root` and all its descendants, as they are now. */
export function processTree(root: number): readonly ProcessUsage[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    const stat = Number.isInteger(pid) ? fieldsOf(pid) : undefined;
    if (stat !== undefined) {
      parents.set(pid, Number(stat[1]));
    }
  }
  const belongs = (pid: number): boolean => pid === root || (parents.has(pid) && belongs(parents.get(pid) as number));
  return [...parents.keys()].filter(belongs).flatMap(usageOf);
}

/** What each process has used since; whole, of one that was not there then. */
export function usedSince(before: readonly ProcessUsage[], now: readonly ProcessUsage[]): readonly ProcessUsage[] {
  const earlier = new Map(before.map(({ pid, cpuSeconds }) => [pid, cpuSeconds]));
  return now.map((usage) => ({ ...usage, cpuSeconds: usage.cpuSeconds - (earlier.get(usage.pid) ?? 0) }));
}

function usageOf(pid: number): ProcessUsage[] {
  const stat = fieldsOf(pid);
  if (stat === undefined) {
    return [];
  }
  const ticks = Number(stat[11]) + Number(stat[12]);
  return [
    {
      pid,
      name: nameOf(pid),
      cpuSeconds: ticks / ticksPerSecond,
      memoryBytesPeak: statusBytes(pid, 'VmHWM'),
      memoryBytesOwn: statusBytes(pid, 'RssAnon'),
    },
  ];
}

/** The fields of /proc/PID/stat after the name, which may hold spaces: state, ppid, … */
function fieldsOf(pid: number): string[] | undefined {
  const stat = textOf(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Processes that their command line tells apart. */
const parts = [
  { pattern: /trap '' INT/, name: 'watch over emulators' },
  { pattern: /sandbox/, name: 'sandbox' },
  { pattern: /pubsub-emulator/, name: 'Pub/Sub emulator' },
  { pattern: /cbtemulator|bigtable-emulator/, name: 'Bigtable emulator' },
  { pattern: /redis-server/, name: 'Redis' },
] as const;

function nameOf(pid: number): string {
  const words = (textOf(`/proc/${pid}/cmdline`) ?? '').split('\0').filter((word) => word !== '');
  const script = words.slice(1).find((word) => !word.startsWith('-')) ?? words[0] ?? String(pid);
  const service = /apps\/([^/]+)\//.exec(script)?.[1];
  const line = words.join(' ');
  const part = parts.find(({ pattern }) => pattern.test(line));
  return part?.name ?? service ?? script.split('/').at(-1) ?? script;
}

function statusBytes(pid: number, field: 'VmHWM' | 'RssAnon'): number {
  const line = new RegExp(`${field}:\\s+(\\d+) kB`).exec(textOf(`/proc/${pid}/status`) ?? '');
  return Number(line?.[1] ?? 0) * 1024;
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    // The process has ended since its folder was listed.
    return undefined;
  }
}
