import { RevisionConflictError } from './registry.ts';

/** Awaits a change that may find what it would make: another was faster, and did the same. */
export async function ignoringConflict(change: Promise<unknown>): Promise<void> {
  try {
    await change;
  } catch (error) {
    if (!(error instanceof RevisionConflictError)) {
      throw error;
    }
  }
}
