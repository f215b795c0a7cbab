import type { NamedSeries } from '@meterflow/idempotent-writes';
import { hashedKey, keyHash } from './key-hash.ts';

/**
 * Keys of readings and aggregates: two bytes of hash of tenant and meter, so that channels of a meter lie together;
 * tenant, meter and channel, each closed by a zero byte; then what the table puts behind.
 */
export function seriesPrefix({ tenant, meter, channel }: NamedSeries): Buffer {
  const key = Buffer.from(`\0\0${tenant}\0${meter}\0${channel}\0`);
  const channelAt = key.lastIndexOf(0, key.length - 2) + 1;
  key.writeUInt16BE(keyHash(key, 2, channelAt));
  return key;
}

/** The row of what is known of a meter as a whole, before those of its channels. */
export function meterKey(tenant: string, meter: string): Buffer {
  return hashedKey(tenant, meter);
}

export function tenantKey(tenant: string): Buffer {
  return hashedKey(tenant);
}

const dayBytes = 3;

export function withDay(prefix: Buffer, day: number): Buffer {
  const { length } = prefix;
  const key = Buffer.allocUnsafe(length + dayBytes);
  prefix.copy(key);
  key.writeUIntBE(day, length, dayBytes);
  return key;
}

/** What a key says: its series, and where what the table put behind it begins. Undefined for a row of a meter or tenant. */
export function parseSeriesKey(key: Buffer): { readonly series: NamedSeries; readonly restAt: number } | undefined {
  const tenantEnd = key.indexOf(0, 2);
  const meterEnd = tenantEnd < 0 ? -1 : key.indexOf(0, tenantEnd + 1);
  const channelEnd = meterEnd < 0 ? -1 : key.indexOf(0, meterEnd + 1);
  if (channelEnd < 0) {
    return undefined;
  }
  const series = {
    tenant: key.toString('utf8', 2, tenantEnd),
    meter: key.toString('utf8', tenantEnd + 1, meterEnd),
    channel: key.toString('utf8', meterEnd + 1, channelEnd),
  };
  return { series, restAt: channelEnd + 1 };
}

export function dayOf(key: Buffer): number {
  return key.readUIntBE(key.length - dayBytes, dayBytes);
}
