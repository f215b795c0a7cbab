import { storeError } from '../database.ts';

/** Runs SQLite's synchronous work behind an asynchronous port; an error of the store names its file. */
export function attempt<Result>(file: string, work: () => Result): Promise<Result> {
  try {
    return Promise.resolve(work());
  } catch (error) {
    return Promise.reject(storeError(error, file));
  }
}
