import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FatalError } from '@meterflow/stage';
import { z } from 'zod';

const schema = z.strictObject({
  format: z.literal(1),
  madeAtMs: z.number(),
  files: z.array(z.strictObject({ path: z.string().min(1), bytes: z.number(), sha256: z.string() })),
});

/** What a backup consists of. Written last: a backup without it is no backup. */
export type Manifest = z.infer<typeof schema>;

export const manifestName = 'backup.json';

/** Throws FatalError where there is no complete backup. */
export async function verifiedManifest(from: string): Promise<Manifest> {
  const file = join(from, manifestName);
  if (!existsSync(file)) {
    throw new FatalError(`${from} holds no complete backup: ${manifestName} is missing.`);
  }
  const parsed = schema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (!parsed.success) {
    throw new FatalError(`${file} is of another build or damaged: ${z.prettifyError(parsed.error)}`);
  }
  for (const { path, sha256 } of parsed.data.files) {
    const inside = !path.startsWith('/') && !path.split('/').includes('..');
    if (!inside || !existsSync(join(from, path)) || (await digestOf(join(from, path))) !== sha256) {
      throw new FatalError(`${join(from, path)} is missing or damaged: the backup can't be used.`);
    }
  }
  return parsed.data;
}

export async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(file)) {
    hash.update(piece as Buffer);
  }
  return hash.digest('hex');
}
