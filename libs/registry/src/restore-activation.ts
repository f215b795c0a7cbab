import type { Activation } from '@meterflow/rules';
import type { Activations } from './activations.ts';

/** Thrown when there is no such activation to go back to. */
export class UnknownActivationError extends Error {
  override readonly name = 'UnknownActivationError';
}

/**
 * Makes what counted under activation `number` count again, by new activations: one for each that counted then in the
 * span that was changed since. Killed in between, it is to be called again. Returns them in the order they were made.
 */
export async function restoreActivation(
  activations: Activations,
  tenant: string,
  number?: number,
): Promise<readonly Activation[]> {
  const newest = await activations.readNewest(tenant);
  const target = number ?? newest.number - 1;
  if (target < 0 || target >= newest.number) {
    const most = newest.number === 0 ? 'nothing was activated yet' : `it is 0 to ${newest.number - 1}`;
    throw new UnknownActivationError(`there is no activation ${target} to go back to: ${most}`);
  }
  const span = { fromMs: Infinity, toMs: -Infinity };
  for (let since = target + 1; since <= newest.number; since++) {
    const activation = await activations.get(tenant, since);
    span.fromMs = Math.min(span.fromMs, activation?.fromMs ?? Infinity);
    span.toMs = Math.max(span.toMs, activation?.toMs ?? -Infinity);
  }
  const made: Activation[] = [];
  for (const { flow, decimals, fromMs, toMs } of (await activations.counting(tenant, target, span)).toReversed()) {
    made.push(
      await activations.create(tenant, {
        flow: { ...flow, name: 'rules' },
        decimals,
        fromMs: Math.max(fromMs, span.fromMs),
        toMs: Math.min(toMs, span.toMs),
      }),
    );
  }
  return made;
}
