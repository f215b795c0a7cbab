import { createReader, formats, type Reader, type ReaderOptions } from '@meterflow/formats';
import { ColumnsReader } from './columns-reader.ts';

/** What a source may be written in: rows that a mapping reads, or columns, which need none. */
const sourceFormats = [...formats, 'columns'] as const;
export type SourceFormat = (typeof sourceFormats)[number];

/** Opens the reader of a format. Throws UnreadableSourceError for a mapping that the format can't use. */
export function openReader(format: SourceFormat, options: ReaderOptions): Reader {
  return format === 'columns' ? new ColumnsReader(options) : createReader(format, options);
}
