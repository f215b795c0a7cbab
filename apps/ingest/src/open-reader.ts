import { createReader, type Format, type Reader, type ReaderOptions } from '@meterflow/formats';
import { ColumnsReader } from './columns-reader.ts';

/** What a source may be written in: rows that a mapping reads, or columns, which need none. */
export type SourceFormat = Format | 'columns';

/** Opens the reader of a format. Throws UnreadableSourceError for a mapping that the format can't use. */
export function openReader(format: SourceFormat, options: ReaderOptions): Reader {
  return format === 'columns' ? new ColumnsReader(options) : createReader(format, options);
}
