import { CorruptSegmentError, UnstorableBatchError } from '@meterflow/idempotent-writes';
import { IntegrityError, PermanentError } from '@meterflow/stage';

/** What the codecs throw, as what a stage must do about it. */
export async function withStoredErrors<Result>(table: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UnstorableBatchError) {
      throw new PermanentError(error.code, error.message, { cause: error });
    }
    if (error instanceof CorruptSegmentError) {
      throw new IntegrityError('corrupt-segment', `Bigtable, table ${table}: ${error.message}`, { cause: error });
    }
    throw error;
  }
}
