import type { Activation } from '@meterflow/rules';
import type { ActivationRequest, Activations } from './activations.ts';

/** Thrown when there is no such activation to go back to. */
export class UnknownActivationError extends Error {
  override readonly name = 'UnknownActivationError';
}

/** Thrown within a change where another activation was made since it was decided on. */
class OvertakenError extends Error {
  override readonly name = 'OvertakenError';
}

const attemptsMax = 20;

/**
 * Makes what counted under activation `number` (the one before the newest, unless told) count again, by new activations:
 * one for each that counted then in the span that was changed since. What another makes meanwhile is taken back as well.
 * Killed in between, it is to be called again. Returns them in the order they were made.
 */
export async function restoreActivation(
  activations: Activations,
  tenant: string,
  { number, ...told }: { readonly number?: number; readonly author?: string; readonly why?: string } = {},
): Promise<readonly Activation[]> {
  const { number: newest } = await activations.readNewest(tenant);
  const target = number ?? newest - 1;
  if (target < 0 || target >= newest) {
    const most = newest === 0 ? 'nothing was activated yet' : `it is 0 to ${newest - 1}`;
    throw new UnknownActivationError(`there is no activation ${target} to go back to: ${most}`);
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return await restored(activations, tenant, { target, ...told });
    } catch (error) {
      if (!(error instanceof OvertakenError) || attempt === attemptsMax) {
        throw error;
      }
    }
  }
}

async function restored(
  activations: Activations,
  tenant: string,
  { target, ...told }: { readonly target: number; readonly author?: string; readonly why?: string },
): Promise<readonly Activation[]> {
  const newest = await activations.readNewest(tenant);
  const span = { fromMs: Infinity, toMs: -Infinity };
  for (let since = target + 1; since <= newest.number; since++) {
    const activation = await activations.get(tenant, since);
    span.fromMs = Math.min(span.fromMs, activation?.fromMs ?? Infinity);
    span.toMs = Math.max(span.toMs, activation?.toMs ?? -Infinity);
  }
  const made: Activation[] = [];
  for (const { flow, decimals, fromMs, toMs } of (await activations.counting(tenant, target, span)).toReversed()) {
    const request: ActivationRequest = {
      ...told,
      flow: { ...flow, name: 'rules' },
      decimals,
      fromMs: Math.max(fromMs, span.fromMs),
      toMs: Math.min(toMs, span.toMs),
    };
    const expected = newest.number + made.length;
    made.push(
      await activations.change(tenant, ({ number }) => {
        if (number !== expected) {
          throw new OvertakenError(`activation ${number} was made meanwhile`);
        }
        return request;
      }),
    );
  }
  return made;
}
