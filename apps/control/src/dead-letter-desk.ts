import { decodeReadingBatch, encodeReadingBatch } from '@meterflow/contracts';
import type { Activations } from '@meterflow/registry';
import type { ReadingBatch } from '@meterflow/readings';
import { PermanentError, type DeadLetter, type DeadLetterStore, type Publisher } from '@meterflow/stage';
import type { DeadLetterDesk } from './ports.ts';

export interface DeskPorts {
  readonly deadLetters: DeadLetterStore;
  readonly publisher: Publisher;
  readonly activations: Pick<Activations, 'readNewest'>;
}

/** The stage whose messages carry the activation that they are handled under. */
const stampedStage = 'rule-execution';

/** Dead letters as operators handle them: what is sent again is stamped with the tenant's newest activation first. */
export function deadLetterDesk({ deadLetters, publisher, activations }: DeskPorts): DeadLetterDesk {
  return {
    list: (query) => deadLetters.list(query),
    show: (id) => deadLetters.show(id),
    purge: (ids) => deadLetters.purge(ids),
    counts: () => deadLetters.counts(),
    retry: async (ids) => {
      const tenants = new Map<string, number>();
      for (const id of ids) {
        const tenant = (await deadLetters.show(id))?.tenant;
        if (tenant !== undefined && tenant !== '' && !tenants.has(tenant)) {
          tenants.set(tenant, (await activations.readNewest(tenant)).number);
        }
      }
      return deadLetters.retry(ids, { publisher, restamp: (letter) => restamped(letter, tenants.get(letter.tenant)) });
    },
  };
}

function restamped({ stage, causes, payload }: DeadLetter, activation: number | undefined): Uint8Array {
  const batch = stage === stampedStage && activation !== undefined ? decoded(payload) : undefined;
  if (batch === undefined || activation === undefined) {
    return payload;
  }
  // Other bytes have another key. The ledger waits for that of the accepted batch, so the batch says where it is from.
  const cause = batch.cause ?? causes[0];
  return encodeReadingBatch({ ...batch, activation, ...(cause === undefined ? {} : { cause }) });
}

/** Undefined for what can't be decoded: it goes as it is, to whatever build may read it by now. */
function decoded(payload: Uint8Array): ReadingBatch | undefined {
  try {
    return decodeReadingBatch(payload);
  } catch (error) {
    if (error instanceof PermanentError) {
      return undefined;
    }
    throw error;
  }
}
