import type { SeriesName } from '@meterflow/readings';

/** A node of a group's tree of partial sums, over one local day of the group. */
export interface NodeDay {
  readonly tenant: string;
  /** Named like a series: the group's meter, and its place in the tree for a channel. */
  readonly node: SeriesName;
  /** The local day's number. */
  readonly day: number;
}

/** What a child (a series, another group, a node below) gives a node over one day. */
export interface ContributionCell {
  readonly node: SeriesName;
  readonly day: number;
  readonly child: SeriesName;
  /** As `encodeContribution` gives it. One without members is that of a child that left. */
  readonly content: Uint8Array;
}

export interface ContributionWrite {
  readonly tenant: string;
  readonly ticket: number;
  readonly cells: readonly ContributionCell[];
}

export interface StoredContribution {
  readonly child: SeriesName;
  readonly ticket: number;
  readonly content: Uint8Array;
}

/** Keeps, of each child of a node, the contribution with the highest ticket. */
export interface ContributionStore {
  /**
   * Resolves when all is durable. Of two contributions of one child the one with the higher ticket stays, whichever
   * comes first; an equal one raises the stored ticket. (Two at one ticket come of no reader that keeps the rules; the
   * greater bytes stay.) Rejects with a TransientError while the store is down.
   */
  write(writes: readonly ContributionWrite[]): Promise<void>;
  /** All children of a node, in one read, in any order. Empty for a node that nobody wrote to. */
  read(node: NodeDay): Promise<readonly StoredContribution[]>;
}
