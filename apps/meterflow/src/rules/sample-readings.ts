import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { atOneGo, builtInMappings, createReader, mappingForHeader, UnreadableSourceError } from '@meterflow/formats';
import type { ReadingBatch } from '@meterflow/readings';
import { CommandError } from '../cli-context.ts';

/** Real readings of London households; licence and credit stand beside them. */
export const bundledSample = 'samples/london-households.csv';

/** Where the bundled sample lies: beside the sources, or beside a bundle. */
export function bundledSampleFile(): string {
  const candidates = ['../../../../', '../../../'].map((up) =>
    fileURLToPath(new URL(up + bundledSample, import.meta.url)),
  );
  return candidates.find((path) => existsSync(path)) ?? (candidates[0] as string);
}

const sampleBytesMax = 16 * 1024 * 1024;

/** The readings of a CSV file whose columns are known without a mapping of one's own. */
export async function sampleReadingsOf(path: string): Promise<readonly ReadingBatch[]> {
  const found = await stat(path).catch((error: unknown) => {
    throw new CommandError('file-missing', `there is no file ${path}`, { cause: error });
  });
  if (found.size > sampleBytesMax) {
    throw new CommandError(
      'sample-invalid',
      `${path} has ${found.size} bytes; ${sampleBytesMax} are the most to try on`,
    );
  }
  const bytes = await readFile(path);
  const mapping = mappingForHeader(bytes, [...builtInMappings.values()]);
  if (mapping === undefined) {
    throw new CommandError('sample-invalid', `${path}: its first line must be meter_id,channel,start,value,unit`);
  }
  const batches: ReadingBatch[] = [];
  let rejected = '';
  const reader = createReader('csv', {
    mapping,
    header: { tenant: 'dev', layer: 'raw', sourceId: 'dev.1', acceptedAtMs: Date.now(), activation: 0 },
    onBatch: (batch) => batches.push(batch),
    onRejects: ([first]) => {
      rejected = first === undefined ? rejected : `line ${first.line}: ${first.reason}`;
    },
  });
  try {
    atOneGo(reader.push(bytes));
    atOneGo(reader.end());
  } catch (error) {
    if (!(error instanceof UnreadableSourceError)) {
      throw error;
    }
    rejected = error.message;
  }
  if (batches.length === 0) {
    throw new CommandError('sample-invalid', `${path} holds no reading: ${rejected === '' ? 'it is empty' : rejected}`);
  }
  return batches;
}
