import { decodeReadingBatch, encodeReadingBatch } from '@meterflow/contracts';
import type { DeadLetters } from '@meterflow/embedded';
import type { Activations } from '@meterflow/registry';
import type { DeadLetter, Publisher } from '@meterflow/stage';
import type { DeadLetterDesk } from './ports.ts';

export interface DeskPorts {
  readonly deadLetters: DeadLetters;
  readonly publisher: Publisher;
  readonly activations: Pick<Activations, 'readNewest'>;
}

/** The stage whose messages carry the activation that they are handled under. */
const stampedStage = 'rule-execution';

/** Dead letters as operators handle them: what is sent again is stamped with the tenant's newest activation first. */
export function deadLetterDesk({ deadLetters, publisher, activations }: DeskPorts): DeadLetterDesk {
  return {
    list: (filter) => deadLetters.list(filter),
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

function restamped({ stage, reasonCode, payload }: DeadLetter, activation: number | undefined): Uint8Array {
  // What could not be decoded goes as it is, to whatever build may read it by now.
  if (stage !== stampedStage || activation === undefined || reasonCode.startsWith('malformed')) {
    return payload;
  }
  return encodeReadingBatch({ ...decodeReadingBatch(payload), activation });
}
