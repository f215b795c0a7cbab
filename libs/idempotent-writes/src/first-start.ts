import type { Segment } from './reading-store.ts';

/** Where segments of one day begin: the start of the first of their readings; undefined where they hold none. */
export function firstStartMs(segments: readonly Segment[]): number | undefined {
  const starts = segments.flatMap(({ columns: { spans } }) =>
    spans.count.length > 0 ? [spans.startMs[0] as number] : [],
  );
  return starts.length === 0 ? undefined : Math.min(...starts);
}
