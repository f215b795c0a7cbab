import { splitCsvLine } from '@meterflow/formats';
import { RefusedUploadError } from './refused-upload-error.ts';

/** The rows of a small CSV, which must all have as many fields. Throws {@link RefusedUploadError}. */
export function csvRows(text: string, { header }: { readonly header: boolean }): readonly (readonly string[])[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const rows = lines.map((line) => {
    const fields = splitCsvLine(line, ',');
    if (!Array.isArray(fields)) {
      throw new RefusedUploadError(fields.reason);
    }
    return fields;
  });
  if (rows.some(({ length }) => length !== rows[0]?.length)) {
    throw new RefusedUploadError('its rows have different numbers of fields');
  }
  return header ? rows.slice(1) : rows;
}
