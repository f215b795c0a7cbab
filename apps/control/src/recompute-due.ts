import { Problem } from '@meterflow/http';
import type { DueRecompute, DueRequest } from '@meterflow/registry';
import type { ControlPorts } from './ports.ts';
import { tellScope, type RecomputeScopePorts } from './recompute-scope.ts';
import { reprocessSettings } from './reprocess/reprocess-settings.ts';
import { settingsSpread } from './settings-spread.ts';

/**
 * Makes a change, and has computed anew what hangs on it. 1. What is due is noted, 2. `work` makes the change and tells of
 * it, 3. the note is taken away. Ended in between, the note stays, and {@link recomputeLeft} does it; so what is changed is
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

export type RecomputeLeftPorts = Omit<RecomputeScopePorts, 'sources'> &
  Pick<ControlPorts, 'dueRecomputes' | 'nowMs'> & {
    readonly reprocesses: Pick<ControlPorts['reprocesses'], 'add'>;
    readonly activations: Pick<ControlPorts['activations'], 'list'>;
  };

const lookPollMs = 60_000;

/**
 * Does what others left undone: at first all that is noted, then what nobody works at any more. Looks again and again until
 * the signal aborts. Never rejects.
 */
export async function watchLeft(
  ports: RecomputeLeftPorts,
  { signal, onProblem }: { readonly signal: AbortSignal; readonly onProblem: (error: unknown) => void },
): Promise<void> {
  for (let which: 'all' | 'abandoned' = 'all'; !signal.aborted;) {
    try {
      await recomputeLeft(ports, which);
      which = 'abandoned';
    } catch (error) {
      onProblem(error);
    }
    await ports.sleep(lookPollMs, signal);
  }
}

/** Looks once; what fails keeps nothing else from being done. Rejected or killed in between, it is to be called again. */
export async function recomputeLeft(ports: RecomputeLeftPorts, which: 'all' | 'abandoned'): Promise<void> {
  const left = await ports.dueRecomputes.list(which);
  if (left.length === 0) {
    return;
  }
  // Whoever noted it may have made the change just now, or, where it lives, be about to.
  await settingsSpread(ports);
  const failures: unknown[] = [];
  for (const due of left) {
    try {
      await tellScope(ports, due.tenant, due.scope);
      await reprocessLeft(ports, due);
      await ports.dueRecomputes.done(due);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) {
    throw new AggregateError(failures, `${failures.length} of ${left.length} can not be computed anew yet`);
  }
}

/** The reprocess has the id of the note: where it was asked for already, it is the same. */
async function reprocessLeft(
  ports: RecomputeLeftPorts,
  { tenant, id, scope, rulesFor: who }: DueRecompute,
): Promise<void> {
  if (who === undefined) {
    return;
  }
  for (const series of scope.of === 'series' ? scope.series : [undefined]) {
    await reprocessSettings(ports, { tenant, id, who, ...(series === undefined ? {} : { series }) });
  }
}
