import { readdirSync, readFileSync } from 'node:fs';

const pageBytes = 4_096;

/** The descendants of a process that still run, those that nobody waited for among them. */
export function descendants(pid: number): readonly number[] {
  const children = threadsOf(pid).flatMap((thread) =>
    (textOf(`/proc/${pid}/task/${thread}/children`) ?? '')
      .split(' ')
      .filter((text) => text.trim() !== '')
      .map(Number),
  );
  return children.flatMap((child) => [child, ...descendants(child)]);
}

/** Resident memory of all of them together; what has ended counts nothing. */
export function residentBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + Number(textOf(`/proc/${pid}/statm`)?.split(' ')[1] ?? 0) * pageBytes, 0);
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined;
  }
}
