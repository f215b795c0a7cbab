import type { SeriesName } from '@meterflow/readings';
import { entries } from './entries.ts';
import type { Registry } from './registry.ts';
import { seriesOfPath } from './series-path.ts';

/** So many names are held at once; of more, all are gone through once more for each further so many. */
const namesHeldMax = 100_000;

/**
 * Every registered series by meter and channel, in the order of their UTF-8 bytes, which is not the one that the registry
 * lists them in. Memory does not go by how many there are; what is registered meanwhile may be among them or not.
 */
export async function* registeredNames(
  registry: Registry,
  tenant: string,
  heldMax = namesHeldMax,
): AsyncGenerator<SeriesName> {
  let after: string | undefined;
  for (;;) {
    const held = await leastNames(registry, tenant, { after, heldMax });
    for (const name of held) {
      const [meter = '', channel = ''] = name.split(mark);
      yield { meter, channel };
    }
    after = held.at(-1);
    if (held.length < heldMax || after === undefined) {
      return;
    }
  }
}

/** Lower than whatever a name may have, so that shorter meters come first. */
const mark = '\0';

async function leastNames(
  registry: Registry,
  tenant: string,
  { after, heldMax }: { readonly after: string | undefined; readonly heldMax: number },
): Promise<readonly string[]> {
  const held: string[] = [];
  let bound: string | undefined;
  const cut = (): void => {
    held.sort(compareBytes);
    held.length = Math.min(held.length, heldMax);
    bound = held.length === heldMax ? held.at(-1) : undefined;
  };
  for await (const { name } of entries(registry, 'series', `${tenant}/`)) {
    const { meter, channel } = seriesOfPath(name.slice(tenant.length + 1));
    const own = `${meter}${mark}${channel}`;
    const isNext = after === undefined || compareBytes(own, after) > 0;
    if (isNext && (bound === undefined || compareBytes(own, bound) < 0)) {
      held.push(own);
      if (held.length >= 2 * heldMax) {
        cut();
      }
    }
  }
  cut();
  return held;
}

/** UTF-16 orders as UTF-8 does, but for what is written as two halves and what comes after those. */
function compareBytes(a: string, b: string): number {
  if (!isOrderedOtherwise.test(a) && !isOrderedOtherwise.test(b)) {
    return a < b ? -1 : Number(a > b);
  }
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

const isOrderedOtherwise = /[\ud800-\uffff]/;
