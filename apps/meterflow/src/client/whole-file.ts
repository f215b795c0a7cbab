import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CommandError } from '../cli-context.ts';
import { isUnanswered } from './local-client.ts';

/** Writes what comes to a file, which is there only when it is whole; returns its full path. */
export async function writeWholeFile(path: string, ask: () => Promise<NodeJS.ReadableStream>): Promise<string> {
  const target = resolve(path);
  const partial = `${target}.part`;
  const file = await writable(target, () => open(partial, 'w'));
  try {
    const content = await ask();
    await writable(target, () => pipeline(content, file.createWriteStream()));
    await writable(target, () => rename(partial, target));
  } catch (error) {
    await abandoned(partial, file);
    throw error;
  }
  return target;
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
