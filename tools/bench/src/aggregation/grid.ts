import type { GroupRequest } from '@meterflow/registry';

export const area = 'area';

/** Meters of a street, streets of a transformer. */
const metersPerStreet = 20;
const streetsPerTransformer = 20;

/** Three levels over all meters: streets, which name theirs, transformers, and the area. */
export function gridOf(meters: readonly string[]): readonly GroupRequest[] {
  const zone = { timeZone: 'UTC', intervalMs: 900_000 };
  const streets = shares(meters, metersPerStreet).map((own, index): GroupRequest => {
    const names = own.map((meter) => `'${meter.replaceAll("'", "''")}'`).join(', ');
    const source = { kind: 'filter', filter: `meter in (${names})` } as const;
    return { ...zone, name: `street-${index}`, membersExpected: metersPerStreet, source };
  });
  const transformers = shares(streets, streetsPerTransformer).map((own, index): GroupRequest => ({
    ...zone,
    name: `transformer-${index}`,
    source: childrenOf(own),
  }));
  return [...streets, ...transformers, { ...zone, name: area, source: childrenOf(transformers) }];
}

function childrenOf(groups: readonly GroupRequest[]): GroupRequest['source'] {
  return { kind: 'children', children: groups.map(({ name }) => ({ group: name })) };
}

function shares<Part>(all: readonly Part[], size: number): Part[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, share) =>
    all.slice(share * size, (share + 1) * size),
  );
}
