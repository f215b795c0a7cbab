import { hash } from 'node:crypto';
import { compareBytes, dayMs, type NodeDay } from '@meterflow/idempotent-writes';
import type { SeriesName } from '@meterflow/readings';
import { seriesPrefix, withDay } from '../rows/series-key.ts';
import type { StoredCell } from '../wire/read-rows.ts';

/**
 * A row is a node over one local day; a cell is what a child gave it:
 *
 *     key: the node as a series, number of the day (3 bytes)
 *     qualifier: the child's meter and channel, each closed by a zero byte; its ticket (7 bytes), 8 bytes of the content's
 *                SHA-256
 *     timestamp: the end of the UTC day after the day of this number, which is no earlier than the local day's
 *     value: the contribution as idempotent-writes encodes it
 */
const ticketBytes = 7;
const contentHashBytes = 8;

export interface ChildCell {
  readonly child: SeriesName;
  readonly ticket: number;
  readonly cell: StoredCell;
}

export function nodeKey({ tenant, node, day }: NodeDay): Buffer {
  return withDay(seriesPrefix({ tenant, meter: node.meter, channel: node.channel }), day);
}

export function microsOf(day: number): number {
  return (day + 2) * dayMs * 1_000;
}

/** What all qualifiers of a child begin with; without a channel, those of all channels of the meter. */
export function childPrefix({ meter, channel }: { readonly meter: string; readonly channel?: string }): Buffer {
  return Buffer.from(channel === undefined ? `${meter}\0` : `${meter}\0${channel}\0`);
}

export function childQualifier(child: SeriesName, ticket: number, content: Uint8Array): Buffer {
  const prefix = childPrefix(child);
  const qualifier = Buffer.allocUnsafe(prefix.length + ticketBytes + contentHashBytes);
  prefix.copy(qualifier);
  qualifier[prefix.length] = Math.floor(ticket / 2 ** 48);
  qualifier.writeUIntBE(ticket % 2 ** 48, prefix.length + 1, 6);
  hash('sha256', content, 'buffer').copy(qualifier, prefix.length + ticketBytes, 0, contentHashBytes);
  return qualifier;
}

export function parseChild(cell: StoredCell): ChildCell {
  const { qualifier } = cell;
  const meterEnd = qualifier.indexOf(0);
  const channelEnd = qualifier.indexOf(0, meterEnd + 1);
  const at = channelEnd + 1;
  return {
    child: {
      meter: qualifier.toString('utf8', 0, meterEnd),
      channel: qualifier.toString('utf8', meterEnd + 1, channelEnd),
    },
    ticket: (qualifier[at] as number) * 2 ** 48 + qualifier.readUIntBE(at + 1, 6),
    cell,
  };
}

/** The cell that stays of each child. */
export function standingCells(cells: readonly ChildCell[]): ChildCell[] {
  const standing = new Map<string, ChildCell>();
  for (const each of cells) {
    const name = `${each.child.meter}\0${each.child.channel}`;
    const known = standing.get(name);
    if (known === undefined || compareCells(each, known) > 0) {
      standing.set(name, each);
    }
  }
  return [...standing.values()];
}

function compareCells(a: ChildCell, b: ChildCell): number {
  return a.ticket - b.ticket || compareBytes(a.cell.value, b.cell.value);
}
