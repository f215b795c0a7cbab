import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CommandError, type GlobalOptions, type Output } from '../cli-context.ts';
import { isUnanswered } from '../client/local-client.ts';
import { askServer } from '../client/with-server.ts';

/** Writes the canonical export; the file is there only when it is whole. */
export async function exportTo(path: string, globals: GlobalOptions, output: Output): Promise<void> {
  const target = resolve(path);
  const partial = `${target}.part`;
  await askServer(globals, async ({ control }) => {
    const file = await writable(target, () => open(partial, 'w'));
    try {
      const lines = await control.stream({ path: '/v1/export', tenant: 'default', role: 'operator' });
      await writable(target, () => pipeline(lines, file.createWriteStream()));
      await writable(target, () => rename(partial, target));
    } catch (error) {
      await abandoned(partial, file);
      throw error;
    }
  });
  if (globals.json) {
    output.line(JSON.stringify({ file: target }));
  } else {
    output.note(`The canonical export is in ${target}.`);
  }
}

/** Nothing stays of a file that did not become whole. */
async function abandoned(partial: string, file: FileHandle): Promise<void> {
  await file.close().catch(() => undefined);
  await rm(partial, { force: true });
}

/** Does a step of writing; an error of it is told as one of the file, unless it is the server that ended. */
async function writable<Result>(target: string, step: () => Promise<Result>): Promise<Result> {
  try {
    return await step();
  } catch (error) {
    const { syscall, message } = error as NodeJS.ErrnoException;
    if (syscall === undefined || (syscall !== 'open' && isUnanswered(error))) {
      throw error;
    }
    const why = message.split(',')[0] ?? '';
    throw new CommandError('not-written', `${target} can't be written (${why}); choose another with --out`, {
      cause: error,
    });
  }
}
