import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { defaultMapping, mappingForHeader, type Format, type Mapping } from '@meterflow/formats';
import { beginningOf, fileContent, fileFacts } from './content.ts';
import { takeIn, type TakeInPorts, type TakenIn } from './take-in.ts';

export interface FileImport {
  readonly tenant: string;
  readonly path: string;
  /** Chosen by the header among `mappings` where none is named. */
  readonly mapping?: Mapping;
  readonly mappings: readonly Mapping[];
  readonly sourceVersion: number;
  readonly onProgress?: (progress: { readonly bytes: number; readonly bytesTotal: number; readonly received: number }) => void;
}

/**
 * Imports a file through the `bulk` lane. The same content, mapping and source version is the same acceptance: a second
 * import of it resumes an unfinished one, and of a finished one is a new delivery whose readings count as duplicates.
 */
export async function importFile(file: FileImport, ports: TakeInPorts): Promise<TakenIn> {
  const facts = await fileFacts(file.path);
  const beginning = await beginningOf(file.path, facts.packing);
  const mapping = file.mapping ?? mappingForHeader(beginning, file.mappings) ?? defaultMapping;
  const { packing, contentHash, bytes: bytesTotal } = facts;
  return takeIn(
    {
      tenant: file.tenant,
      kind: 'file',
      lane: 'bulk',
      identity: `${contentHash} ${mappingVersion(mapping)} ${file.sourceVersion}`,
      contentHash,
      label: basename(file.path),
      format: formatOf(file.path),
      mapping,
      sourceVersion: file.sourceVersion,
      bytes: () => fileContent(file.path, packing),
      onProgress: ({ bytes, counts }) => file.onProgress?.({ bytes, bytesTotal, received: counts.received }),
    },
    ports,
  );
}

/** A mapping's version is what it says: the same name with other rules is another one. */
export function mappingVersion(mapping: Mapping): string {
  return `${mapping.name}@${createHash('sha256').update(JSON.stringify(mapping)).digest('hex').slice(0, 12)}`;
}

function formatOf(path: string): Format {
  const name = path.replace(/\.(gz|zst|zstd)$/i, '').toLowerCase();
  return name.endsWith('.ndjson') || name.endsWith('.jsonl') ? 'ndjson' : name.endsWith('.json') ? 'json' : 'csv';
}
