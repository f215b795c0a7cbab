import { dayMs, type AggregatesStored } from '@meterflow/aggregates';
import { encodeAggregatesStored, messageAttributes, payloadKey, topicName, type Lane } from '@meterflow/contracts';
import type { SeriesName } from '@meterflow/readings';
import type { OutgoingMessage } from '@meterflow/stage';
import { seriesPath } from '../window-set.ts';

/** A node over one local day of its group. */
export interface NodeOfDay {
  readonly node: SeriesName;
  /** The local day's number. */
  readonly day: number;
}

/** Told in one message. */
const nodesPerMessage = 2_000;
const encoder = new TextEncoder();

/** Nodes and days of one tenant, each once. */
export class NodeDays {
  readonly #nodes = new Map<string, { readonly node: SeriesName; readonly days: Set<number> }>();

  add({ node, day }: NodeOfDay): void {
    const path = seriesPath(node);
    const known = this.#nodes.get(path);
    if (known === undefined) {
      this.#nodes.set(path, { node, days: new Set([day]) });
    } else {
      known.days.add(day);
    }
  }

  get all(): readonly NodeOfDay[] {
    return [...this.#nodes.values()].flatMap(({ node, days }) => [...days].map((day) => ({ node, day })));
  }
}

/**
 * Says that children of these nodes gave something. A notice of stored aggregates whose series are nodes and whose spans
 * are local days, each named by the UTC day of its number, whatever the group's zone. Its key is that of the ticket: what
 * one pass says is a fact of its own, and must not be taken for a duplicate of what another said of the same nodes.
 */
export function nodeNotices(
  nodes: readonly NodeOfDay[],
  { tenant, ticket, lane }: { readonly tenant: string; readonly ticket: number; readonly lane: Lane },
): OutgoingMessage[] {
  const messages: OutgoingMessage[] = [];
  for (let from = 0; from < nodes.length; from += nodesPerMessage) {
    const told = nodes.slice(from, from + nodesPerMessage);
    const notice: AggregatesStored = {
      tenant,
      level: 'day',
      key: payloadKey(encoder.encode(`${tenant} ${ticket} ${from}`)),
      causes: [],
      touched: {
        series: told.map(({ node }) => node),
        index: Uint32Array.from(told.keys()),
        fromMs: Float64Array.from(told, ({ day }) => day * dayMs),
        toMs: Float64Array.from(told, ({ day }) => (day + 1) * dayMs),
      },
    };
    messages.push({
      topic: topicName('contributions.stored', lane),
      payload: encodeAggregatesStored(notice),
      attributes: messageAttributes('AggregatesStored', tenant),
    });
  }
  return messages;
}

/** The nodes and days that notices tell of, each once. */
export function toldNodes(notices: readonly AggregatesStored[]): readonly NodeOfDay[] {
  const nodes = new NodeDays();
  for (const { touched } of notices) {
    touched.index.forEach((index, row) => {
      const node = touched.series[index] as SeriesName;
      const end = Math.ceil((touched.toMs[row] as number) / dayMs);
      for (let day = Math.floor((touched.fromMs[row] as number) / dayMs); day < end; day++) {
        nodes.add({ node, day });
      }
    });
  }
  return nodes.all;
}
