import { lineOf, type Origin, type ReadingHistory } from '@meterflow/idempotent-writes';
import type { FoundReading, ReadingPlace } from './readings-at.ts';

/** A line that stood at a reading's place in a source, under a version. */
export interface BringingLine {
  readonly sourceId: string;
  readonly acceptedAtMs: number;
  /** 0 where the provider declared none. */
  readonly declared: number;
  readonly line: number;
}

export type OriginLine = BringingLine & { readonly origin: Origin };

/** Which lines brought each version of a raw reading; undefined where the store does not keep it. */
export async function broughtBy(
  history: Pick<ReadingHistory, 'origins'>,
  place: ReadingPlace,
  stored: readonly FoundReading[],
): Promise<ReadonlyMap<FoundReading, readonly OriginLine[]> | undefined> {
  const origins = await history.origins({ ...place, layer: 'raw', fromMs: place.startMs, toMs: place.startMs + 1 });
  const lines = origins?.flatMap((origin) => {
    const line = lineOf(origin, place);
    const { sourceId, acceptedAtMs, declared } = origin;
    return line === undefined ? [] : [{ origin, sourceId, acceptedAtMs, declared, line }];
  });
  return lines && bringers(stored, lines);
}

/**
 * Which lines brought which version of a raw reading. `versions` and `lines` are in the order of storing, what stands last.
 * Of a version that came with one value all lines that declare it brought that. Where several values came under one version,
 * those that never stood name their source, and those that stood took turns: what took one's place is named, too, so that
 * lines are told apart as they came. Of what an older build stored it is not known: all lines of the version are told.
 */
function bringers<Line extends BringingLine>(
  versions: readonly FoundReading[],
  lines: readonly Line[],
): ReadonlyMap<FoundReading, readonly Line[]> {
  const found = new Map<FoundReading, readonly Line[]>();
  const groups = Map.groupBy(versions, ({ version }) => `${version.declared} ${version.acceptedAtMs}`);
  for (const same of groups.values()) {
    const [{ version }] = same as [FoundReading, ...FoundReading[]];
    const own = lines.filter(({ declared, acceptedAtMs }) =>
      version.declared === 0 ? declared === 0 && acceptedAtMs === version.acceptedAtMs : declared === version.declared,
    );
    apart(same, own).forEach((of, index) => found.set(same[index] as FoundReading, of));
  }
  return found;
}

function apart<Line extends BringingLine>(
  same: readonly FoundReading[],
  lines: readonly Line[],
): readonly (readonly Line[])[] {
  const left = [...lines];
  const told = new Map<FoundReading, Line[]>(same.map((each) => [each, []]));
  // The last of several lines of one source lost, where one did: the others were there before it.
  for (const each of same.toReversed()) {
    const lost = each.by?.how === 'brought' ? left.findLastIndex(({ sourceId }) => sourceId === each.by?.sourceId) : -1;
    told.get(each)?.unshift(...(lost < 0 ? [] : left.splice(lost, 1)));
  }
  const stood = same.filter(({ by }) => by?.how !== 'brought');
  if (stood.slice(0, -1).some(({ by }) => by === undefined)) {
    return same.map((each) => (stood.includes(each) ? left : (told.get(each) ?? [])));
  }
  let standing = 0;
  left.forEach((line, index) => {
    if (index > 0 && standing < stood.length - 1 && stood[standing]?.by?.sourceId === line.sourceId) {
      standing += 1;
    }
    told.get(stood[standing] as FoundReading)?.push(line);
  });
  return same.map((each) => told.get(each) ?? []);
}
