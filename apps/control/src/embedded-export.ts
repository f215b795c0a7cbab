import { exportCanonical } from '@meterflow/embedded';

/** The canonical export of a data directory, piece by piece: it waits until each is taken. */
export async function* embeddedExport(directory: string, signal: AbortSignal): AsyncGenerator<string> {
  let offered = Promise.withResolvers<string | undefined>();
  let taken = Promise.withResolvers<undefined>();
  const done = exportCanonical({
    directory,
    write: async (lines) => {
      signal.throwIfAborted();
      offered.resolve(lines);
      await taken.promise;
    },
  }).then(
    () => {
      offered.resolve(undefined);
    },
    (error: unknown) => {
      offered.reject(error);
    },
  );
  for (let lines = await offered.promise; lines !== undefined; lines = await offered.promise) {
    yield lines;
    offered = Promise.withResolvers();
    const answered = taken;
    taken = Promise.withResolvers();
    answered.resolve(undefined);
  }
  await done;
}
