import { MessageReader } from '../wire/message-reader.ts';
import type { StoredCell } from '../wire/read-rows.ts';
import type { RowFilter } from '../wire/row-filter.ts';

type Cells = readonly StoredCell[];

/** What of a row's cells passes, as the service has it. Throws for a filter that `row-filter.ts` does not make. */
export function evaluateFilter(filter: RowFilter, cells: Cells): Cells {
  const message = new MessageReader(asBuffer(filter));
  if (!message.next()) {
    return cells;
  }
  switch (message.field) {
    case 1:
      return filtersOf(message.message()).reduce<Cells>((left, each) => evaluateFilter(each, left), cells);
    case 2:
      return filtersOf(message.message()).flatMap((each) => evaluateFilter(each, cells));
    case 7:
      return inQualifiers(message.message(), cells);
    case 8:
      return inTime(message.message(), cells);
    case 11:
      return cells.slice(0, message.varint());
    case 12:
      return newest(message.varint(), cells);
    case 13:
      return message.varint() > 0 ? cells.map((cell) => ({ ...cell, value: Buffer.alloc(0) })) : cells;
    default:
      throw new RangeError(`rows in memory know no filter of the kind ${message.field}`);
  }
}

function filtersOf(group: MessageReader): RowFilter[] {
  const filters: RowFilter[] = [];
  while (group.next()) {
    filters.push(group.view());
  }
  return filters;
}

function inQualifiers(range: MessageReader, cells: Cells): Cells {
  let family = '';
  let from = Buffer.alloc(0);
  let to: Buffer | undefined;
  while (range.next()) {
    const value = range.view();
    if (range.field === 1) {
      family = value.toString();
    } else if (range.field === 2) {
      from = Buffer.from(value);
    } else {
      to = value;
    }
  }
  const isIn = ({ qualifier }: StoredCell): boolean =>
    qualifier.compare(from) >= 0 && (to === undefined || qualifier.compare(to) < 0);
  return cells.filter((cell) => cell.family === family && isIn(cell));
}

function inTime(range: MessageReader, cells: Cells): Cells {
  let fromMicros = 0;
  let toMicros = Infinity;
  while (range.next()) {
    const micros = range.varint();
    if (range.field === 1) {
      fromMicros = micros;
    } else if (micros > 0) {
      toMicros = micros;
    }
  }
  return cells.filter(({ micros }) => micros >= fromMicros && micros < toMicros);
}

/** Of each column the newest so many; cells come newest first. */
function newest(count: number, cells: Cells): Cells {
  const seen = new Map<string, number>();
  return cells.filter(({ family, qualifier }) => {
    const column = `${family} ${qualifier.toString('latin1')}`;
    const before = seen.get(column) ?? 0;
    seen.set(column, before + 1);
    return before < count;
  });
}

function asBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}
