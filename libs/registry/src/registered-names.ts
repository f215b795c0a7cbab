import type { SeriesName } from '@meterflow/readings';
import { entries } from './entries.ts';
import type { Registry } from './registry.ts';
import { seriesOfPath, seriesPath } from './series-path.ts';

/** So many names are held at once. */
const namesHeldMax = 20_000;

/** Lower than whatever a name may have, so that shorter meters come first. */
const mark = '\0';

/**
 * Every registered series by meter and channel, in the order of their UTF-8 bytes, which is not the one that the registry
 * lists them in. Memory does not go by how many there are; what is registered meanwhile may be among them or not.
 */
export async function* registeredNames(
  registry: Registry,
  tenant: string,
  heldMax = namesHeldMax,
): AsyncGenerator<SeriesName> {
  for await (const name of namesWith('', { registry, tenant, heldMax })) {
    const [meter = '', channel = ''] = name.split(mark);
    yield { meter, channel };
  }
}

interface Parts {
  readonly registry: Registry;
  readonly tenant: string;
  readonly heldMax: number;
}

/** Those with this beginning: all sorted where they are few, else those with each of its continuations after each other. */
async function* namesWith(beginning: string, parts: Parts): AsyncGenerator<string> {
  const held: string[] = [];
  let count = 0;
  let shared: string | undefined;
  for await (const { name } of entries(parts.registry, 'series', prefixOf(beginning, parts.tenant))) {
    const { meter, channel } = seriesOfPath(name.slice(parts.tenant.length + 1));
    const own = `${meter}${mark}${channel}`;
    count += 1;
    shared = sharedBeginning(shared ?? own, own);
    if (count <= parts.heldMax) {
      held.push(own);
    }
  }
  if (count <= parts.heldMax) {
    yield* held.sort(compareBytes);
    return;
  }
  held.length = 0;
  yield* continuing(shared ?? '', parts);
}

async function* continuing(beginning: string, parts: Parts): AsyncGenerator<string> {
  const continuations = new Set<number>();
  for await (const { name } of entries(parts.registry, 'series', prefixOf(beginning, parts.tenant))) {
    const { meter, channel } = seriesOfPath(name.slice(parts.tenant.length + 1));
    continuations.add(`${meter}${mark}${channel}`.codePointAt(beginning.length) ?? endsHere);
  }
  for (const next of [...continuations].sort((a, b) => a - b)) {
    if (next === endsHere) {
      yield beginning;
    } else {
      yield* namesWith(beginning + String.fromCodePoint(next), parts);
    }
  }
}

/** Before every code point. */
const endsHere = -1;

/** What the entries of all names with this beginning begin with. */
function prefixOf(beginning: string, tenant: string): string {
  const [meter = '', channel] = beginning.split(mark);
  return `${tenant}/${channel === undefined ? encodeURIComponent(meter) : seriesPath(meter, channel)}`;
}

/** Never half of a character. */
function sharedBeginning(a: string, b: string): string {
  if (b.startsWith(a)) {
    return a;
  }
  let length = 0;
  while (length < a.length && a[length] === b[length]) {
    length += 1;
  }
  return a.slice(0, isHighSurrogate.test(a.charAt(length - 1)) ? length - 1 : length);
}

const isHighSurrogate = /^[\ud800-\udbff]$/;

/** UTF-16 orders as UTF-8 does, but for what is written as two halves and what comes after those. */
function compareBytes(a: string, b: string): number {
  if (!isOrderedOtherwise.test(a) && !isOrderedOtherwise.test(b)) {
    return a < b ? -1 : Number(a > b);
  }
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

const isOrderedOtherwise = /[\ud800-\uffff]/;
