import type { EmbeddedPlatform } from '@meterflow/embedded';
import type { GooglePlatform } from '@meterflow/platform';
import type { SeriesName } from '@meterflow/readings';
import { dayMs } from '../query-span.ts';
import type { StoredRaw, StoredSpan } from './told-days.ts';

/** Days without a reading between two with some cost less than a span of their own. */
const gapDaysMax = 7;

export function embeddedRaw(
  readings: Pick<ReturnType<EmbeddedPlatform['readings']>, 'series' | 'segments'>,
): StoredRaw {
  return {
    series: (tenant) => readings.series({ tenant }),
    spans: (tenant, { meter, channel }) => joined(readings.segments({ tenant, meter, channel })),
  };
}

function* joined(segments: Iterable<{ readonly segment: { readonly day: number } }>): Generator<StoredSpan> {
  let open: StoredSpan | undefined;
  for (const {
    segment: { day },
  } of segments) {
    if (open === undefined || day - open.toDay > gapDaysMax) {
      if (open !== undefined) {
        yield open;
      }
      open = { fromDay: day, toDay: day + 1 };
    } else {
      open = { ...open, toDay: day + 1 };
    }
  }
  if (open !== undefined) {
    yield open;
  }
}

export function bigtableRaw(stores: GooglePlatform['stores']): StoredRaw {
  return {
    series: (tenant) => seriesOf(stores, tenant),
    spans: (tenant, series) => spanOf(stores, tenant, series),
  };
}

async function* seriesOf(stores: GooglePlatform['stores'], wanted: string): AsyncGenerator<SeriesName> {
  for (const { tenant, meter, channel } of await stores.readings('raw').series()) {
    if (tenant === wanted) {
      yield { meter, channel };
    }
  }
}

async function* spanOf(
  stores: GooglePlatform['stores'],
  tenant: string,
  series: SeriesName,
): AsyncGenerator<StoredSpan> {
  const { fromMs, toMs } = await stores.readings('raw').daysOf({ tenant, ...series });
  if (fromMs < toMs) {
    yield { fromDay: fromMs / dayMs, toDay: toMs / dayMs };
  }
}
