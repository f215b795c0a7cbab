import { IntegrityError } from '@meterflow/stage';
import { MalformedMessageError } from './malformed-message-error.ts';

/** Runs an encoder: what a decoder would refuse is a broken rule of our own when we are about to send it. */
export function asIntegrity<Result>(encode: () => Result): Result {
  try {
    return encode();
  } catch (error) {
    if (error instanceof MalformedMessageError) {
      throw new IntegrityError(error.code, error.message, { cause: error });
    }
    throw error;
  }
}
