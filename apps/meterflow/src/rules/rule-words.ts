import { readFileSync } from 'node:fs';
import { CommandError } from '../cli-context.ts';

/** `NAME`, or `NAME@VERSION`. */
export function versioned(wanted: string): { readonly name: string; readonly version: string | undefined } {
  const [name = '', version] = wanted.split('@');
  return { name, version };
}

/** JSON, or `name=value,name=value`; the value `@file` is the text of that file. */
export function parametersIn(text: string): unknown {
  if (text.trimStart().startsWith('{')) {
    try {
      return JSON.parse(text) as unknown;
    } catch (error) {
      throw new CommandError('rule-invalid', `--parameters is not JSON: ${(error as Error).message}`, { cause: error });
    }
  }
  const pairs = text.split(',').map((pair) => /^\s*([^=]+?)\s*=(.*)$/.exec(pair));
  if (pairs.includes(null)) {
    throw new CommandError('rule-invalid', '--parameters takes limit=10,quiet=true, or JSON: {"limit": 10}');
  }
  return Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', valueIn(pair?.[2] ?? '')]));
}

function valueIn(text: string): number | string | boolean {
  if (text.startsWith('@')) {
    return textOf(text.slice(1));
  }
  if (text === 'true' || text === 'false') {
    return text === 'true';
  }
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CommandError('file-missing', `the file ${path} can't be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Who types, where the machine knows it. */
export function author(): { readonly author?: string } {
  const user = process.env['USER'];
  return user === undefined || user === '' ? {} : { author: user };
}
