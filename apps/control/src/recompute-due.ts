import { Problem } from '@meterflow/http';
import { dueRenewMs, type DueRecompute, type DueRequest, type LeftRecompute } from '@meterflow/registry';
import type { ControlPorts } from './ports.ts';
import { tellScope, type RecomputeScopePorts } from './recompute-scope.ts';
import { reprocessSettings } from './reprocess/reprocess-settings.ts';
import { settingsSpread } from './settings-spread.ts';

/**
 * Makes a change, and has computed anew what hangs on it. 1. What is due is noted, 2. `work` makes the change and tells of
 * it, 3. the note is taken away. Ended in between, the note stays, and {@link watchLeft} does it; so what is changed is
 * computed anew also where nobody asks once more.
 */
export async function noted<Result>(
  { dueRecomputes }: Pick<ControlPorts, 'dueRecomputes'>,
  request: DueRequest,
  work: (due: DueRecompute) => Promise<Result>,
): Promise<Result> {
  const due = await dueRecomputes.note(request);
  let result: Result;
  try {
    result = await work(due);
  } catch (error) {
    // What is refused was not done. Of anything else nobody knows.
    if (error instanceof Problem) {
      await dueRecomputes.done(due);
    }
    throw error;
  }
  await dueRecomputes.done(due);
  return result;
}

export type RecomputeLeftPorts = Omit<RecomputeScopePorts, 'sources' | 'series'> &
  Pick<ControlPorts, 'dueRecomputes' | 'nowMs'> & {
    readonly series: RecomputeScopePorts['series'] & Pick<ControlPorts['series'], 'tellAgain'>;
    readonly groups: Pick<ControlPorts['groups'], 'tellAgain'>;
    readonly reprocesses: Pick<ControlPorts['reprocesses'], 'add'>;
    readonly activations: Pick<ControlPorts['activations'], 'list'>;
  };

const lookPollMs = 60_000;

/**
 * Does what others left undone: that of processes before this one soon, that of others once nobody works at it any more.
 * Looks again and again until the signal aborts, and resolves when nothing of it is at work any more. Never rejects.
 */
export async function watchLeft(
  ports: RecomputeLeftPorts,
  { signal, onProblem }: { readonly signal: AbortSignal; readonly onProblem: (error: unknown) => void },
): Promise<void> {
  const startedMs = ports.nowMs();
  while (!signal.aborted) {
    try {
      await recomputeLeft(ports, await ports.dueRecomputes.left(startedMs), signal);
    } catch (error) {
      onProblem(error);
    }
    await ports.sleep(lookPollMs, signal);
  }
}

/**
 * Does what is left; what fails keeps nothing else from being done. Rejected, aborted or killed in between, it is to be
 * called again.
 */
export async function recomputeLeft(
  ports: RecomputeLeftPorts,
  left: readonly LeftRecompute[],
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  if (left.length === 0) {
    return;
  }
  const failures: unknown[] = [];
  // 1. Whoever made the change may have ended before it said so to those that hold what was there before,
  const said = await doneWith(left, failures, (due) => sayAgain(ports, due));
  // 2. or may have made it just now, or, where it lives, be about to; 3. and only now it counts everywhere.
  await settingsSpread(ports, signal);
  await doneWith(said, failures, async (due) => {
    if (!signal.aborted && (await ports.dueRecomputes.take(due))) {
      await renewing(ports, due, () => tellLeft(ports, due, signal));
      await ports.dueRecomputes.done(due);
    }
  });
  if (failures.length > 0 && !signal.aborted) {
    throw new AggregateError(failures, `${failures.length} of ${left.length} can not be computed anew yet`);
  }
}

/** Those that it did not fail with. */
async function doneWith(
  all: readonly LeftRecompute[],
  failures: unknown[],
  work: (due: LeftRecompute) => Promise<void>,
): Promise<readonly LeftRecompute[]> {
  const done: LeftRecompute[] = [];
  for (const due of all) {
    try {
      await work(due);
      done.push(due);
    } catch (error) {
      failures.push(error);
    }
  }
  return done;
}

/** Defaults of a tenant and calendars need it not: they are looked at whenever a cache is checked. */
async function sayAgain({ series, groups }: RecomputeLeftPorts, { tenant, scope }: DueRecompute): Promise<void> {
  if (scope.of === 'series') {
    await series.tellAgain(tenant, scope.series);
  } else if (scope.of === 'group') {
    await groups.tellAgain(tenant, scope.name);
  }
}

async function tellLeft(ports: RecomputeLeftPorts, due: DueRecompute, signal: AbortSignal): Promise<void> {
  await tellScope(ports, due, signal);
  await reprocessLeft(ports, due);
}

/** Nobody else takes it meanwhile, however long it takes. */
async function renewing(ports: RecomputeLeftPorts, due: DueRecompute, work: () => Promise<void>): Promise<void> {
  const ended = new AbortController();
  const renewal = renew(ports, due, ended.signal);
  try {
    await work();
  } finally {
    ended.abort();
    await renewal;
  }
}

async function renew({ dueRecomputes, sleep }: RecomputeLeftPorts, due: DueRecompute, ended: AbortSignal) {
  for (;;) {
    await sleep(dueRenewMs, ended);
    if (ended.aborted) {
      return;
    }
    // Where the registry is down it says so the next time.
    await dueRecomputes.renew(due).catch(() => undefined);
  }
}

/** The first reprocess has the id of the note: where it was asked for already, it is the same. */
async function reprocessLeft(
  ports: RecomputeLeftPorts,
  { tenant, id, scope, rulesFor: who }: DueRecompute,
): Promise<void> {
  if (who === undefined) {
    return;
  }
  for (const [index, series] of (scope.of === 'series' ? scope.series : [undefined]).entries()) {
    const own = index === 0 ? id : `${id}-${index}`;
    await reprocessSettings(ports, { tenant, id: own, who, ...(series === undefined ? {} : { series }) });
  }
}
