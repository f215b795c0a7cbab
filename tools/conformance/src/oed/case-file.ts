import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const upload = z.strictObject({
  kind: z.enum(['meters', 'readings']),
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)),
  file: z.string().min(1),
  responseCode: z.number().int().optional(),
});

const caseSchema = z.strictObject({
  description: z.string().default(''),
  /** Whether there is a meter of the case's name, with all defaults, before the first upload. */
  createMeter: z.boolean().default(false),
  uploads: z.array(upload).min(1),
  /** A file with the rows that are stored in the end; null where the case is about meters alone. */
  expected: z.string().nullable().default(null),
});

export type OedUpload = z.output<typeof upload>;
export type OedCase = z.output<typeof caseSchema>;

/** A case, or why its entry is none. */
export type ReadCase = { readonly tried: OedCase } | { readonly problem: string };

/** The cases of a folder: `cases.json` names their files. */
export async function readCases(folder: string): Promise<ReadonlyMap<string, ReadCase>> {
  const text = await readFile(join(folder, 'cases.json'), 'utf8');
  const entries = z.record(z.string(), z.unknown()).parse(JSON.parse(text.replace(/^\uFEFF/, '')));
  return new Map(Object.entries(entries).map(([name, entry]) => [name, readCase(entry)]));
}

function readCase(entry: unknown): ReadCase {
  const { data, error } = caseSchema.safeParse(entry);
  return error === undefined
    ? { tried: data }
    : { problem: `cases.json: ${error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}` };
}
