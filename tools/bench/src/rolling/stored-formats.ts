import { backupLines } from '@meterflow/bigtable';
import type { Fleet } from './fleet.ts';

/** The formats of the cells of readings that are stored. */
export async function storedFormats({ platform }: Fleet): Promise<ReadonlySet<number>> {
  const formats = new Set<number>();
  for await (const line of backupLines(platform.stores)) {
    if (line.startsWith('["readings"')) {
      const [, , cells] = JSON.parse(line) as [string, string, [string, string, number, string][]];
      cells.forEach(([, , , value]) => formats.add(Buffer.from(value, 'base64')[0] ?? 0));
    }
  }
  return formats;
}
