import { Problem } from '@meterflow/http';
import { FatalError } from '@meterflow/stage';

/**
 * The port as it is, but that `onFatal` is told of each FatalError that one of its calls rejects with: a store that is
 * damaged or gone is no better at the next call, so that the process has to stop, whoever happened to call.
 */
export function fatalWatched<Port extends object>(port: Port, onFatal: (error: FatalError) => void): Port {
  const told = (error: unknown): never => {
    if (error instanceof FatalError) {
      onFatal(error);
    }
    throw error;
  };
  return new Proxy(port, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') {
        return member;
      }
      return (...values: unknown[]): unknown => {
        const result: unknown = Reflect.apply(member, target, values);
        return result instanceof Promise ? result.catch(told) : result;
      };
    },
  });
}

/** Tells whoever owns the data directory what ails it, and what to do, instead of asking for patience. */
export async function toldToOwner<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof FatalError ? new Problem('internal-error', error.message, { cause: error }) : error;
  }
}
