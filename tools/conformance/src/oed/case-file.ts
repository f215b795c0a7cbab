import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const upload = z.object({
  kind: z.enum(['meters', 'readings']),
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)),
  file: z.string().min(1),
  responseCode: z.number().int().optional(),
});

const caseSchema = z.object({
  description: z.string().default(''),
  /** Whether there is a meter of the case's name, with all defaults, before the first upload. */
  createMeter: z.boolean().default(false),
  uploads: z.array(upload),
  /** A file with the rows that are stored in the end; null where the case is about meters alone. */
  expected: z.string().nullable().default(null),
});

export type OedUpload = z.output<typeof upload>;
export type OedCase = z.output<typeof caseSchema>;

/** The cases of a folder: `cases.json` names their files. */
export async function readCases(folder: string): Promise<ReadonlyMap<string, OedCase>> {
  const text = await readFile(join(folder, 'cases.json'), 'utf8');
  return new Map(Object.entries(z.record(z.string(), caseSchema).parse(JSON.parse(text))));
}
