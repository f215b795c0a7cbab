import { createReadStream, existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createGunzip } from 'node:zlib';

/** A file to import and the version that its readings are declared under. */
export interface Piece {
  readonly file: string;
  readonly sourceVersion: number;
}

export interface PiecesOptions {
  readonly folder: string;
  /** Readings in `meter_id,channel,start,value,unit`, gzipped or not; the Swiss households or the London sample where absent. */
  readonly file?: string;
  /** Lines taken of it. */
  readonly readings: number;
  readonly pieces: number;
}

interface Line {
  readonly before: string;
  readonly value: string;
  readonly after: string;
}

const header = 'meter_id,channel,start,value,unit';
const repository = fileURLToPath(new URL('../../../', import.meta.url));
const sample = join(repository, 'samples/london-households.csv');

/** The Swiss households of the shared folder; undefined where it is absent. */
export function swissHouseholds(): string | undefined {
  const shared = resolve(repository, process.env['METERFLOW_SHARED'] ?? '../shared');
  const file = join(shared, 'data/swiss-households/readings.csv.gz');
  return existsSync(file) ? file : undefined;
}

/**
 * Cuts the readings into files, and makes for every other one a correction: some of its readings again with other
 * values, under a later version. All of them in any order come to the same end state.
 */
export async function makePieces(options: PiecesOptions): Promise<readonly Piece[]> {
  const { folder, readings, pieces } = options;
  await mkdir(folder, { recursive: true });
  const lines = await linesOf(options.file ?? swissHouseholds() ?? sample, readings);
  const perPiece = Math.ceil(lines.length / pieces);
  const made: Piece[] = [];
  for (let index = 0; index * perPiece < lines.length; index += 1) {
    const own = lines.slice(index * perPiece, (index + 1) * perPiece);
    made.push(await piece(folder, { name: `part-${index}`, sourceVersion: 1, lines: own }));
    if (index % 2 === 0) {
      const some = own.filter((_, at) => at % 5 === 0).map((line) => ({ ...line, value: corrected(line.value) }));
      made.push(await piece(folder, { name: `part-${index}-corrected`, sourceVersion: 2, lines: some }));
    }
  }
  return made;
}

async function piece(
  folder: string,
  { name, sourceVersion, lines }: { name: string; sourceVersion: number; lines: readonly Line[] },
): Promise<Piece> {
  const file = join(folder, `${name}.csv`);
  const text = lines.map(({ before, value, after }) => `${before},${value},${after}`).join('\n');
  await writeFile(file, `${header}\n${text}\n`);
  return { file, sourceVersion };
}

function corrected(value: string): string {
  return (Number(value) + 0.125).toFixed(3);
}

async function linesOf(file: string, count: number): Promise<Line[]> {
  const bytes = createReadStream(file);
  const lines: Line[] = [];
  const input = file.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes;
  for await (const text of createInterface({ input })) {
    const line = lineOf(text);
    if (line !== undefined) {
      lines.push(line);
    }
    if (lines.length === count) {
      break;
    }
  }
  bytes.destroy();
  return lines;
}

/** Of a Swiss or any other default file as it is; of the London sample in the same columns. Undefined for a header. */
function lineOf(text: string): Line | undefined {
  const columns = text.split(',').map((column) => column.trim());
  if (columns.length === 3) {
    const [meter = '', start = '', value = ''] = columns;
    const instant = `${start.slice(0, 10)}T${start.slice(11, 19)}Z`;
    return Number.isNaN(Number(value)) ? undefined : { before: `${meter},import,${instant}`, value, after: 'kWh' };
  }
  const [meter = '', channel = '', start = '', value = '', unit = ''] = columns;
  return Number.isNaN(Number(value)) ? undefined : { before: `${meter},${channel},${start}`, value, after: unit };
}
