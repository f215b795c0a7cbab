import { OvertakenError, type DaysMade, type SeriesMade, type SeriesTold, type ToldSince } from '@meterflow/registry';
import { OvertakenWorkError, type Sink } from '@meterflow/stage';

/** What a series flow writes down before its output leaves. */
export type SeriesFlowWrite = { readonly told: SeriesTold } | { readonly made: SeriesMade };

/** Of two runs of the same days at once, one may have to run again, itself alone: under a new ticket, with what the other one made. */
export function seriesFlowSink({
  toldSince,
  daysMade,
}: {
  readonly toldSince: Pick<ToldSince, 'lower'>;
  readonly daysMade: Pick<DaysMade, 'write'>;
}): Sink<SeriesFlowWrite> {
  return {
    write: async (writes) => {
      await toldSince.lower(writes.flatMap((write) => ('told' in write ? [write.told] : [])));
      try {
        await daysMade.write(writes.flatMap((write) => ('made' in write ? [write.made] : [])));
      } catch (error) {
        throw error instanceof OvertakenError ? new OvertakenWorkError(error.message, { cause: error }) : error;
      }
    },
  };
}
