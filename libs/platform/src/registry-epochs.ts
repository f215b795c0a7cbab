import { changeEntry, type Registry } from '@meterflow/registry';
import type { Epochs } from '@meterflow/stage';
import { z } from 'zod';

const schema = z.strictObject({ epoch: z.number().int().min(2) });

/** The epochs of subscriptions as entries of the registry, which outlives every broker and every dedupe store. */
export class RegistryEpochs implements Epochs {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  async current(subscription: string): Promise<number> {
    const entry = await this.#registry.get('setting', entryName(subscription));
    return epochOf(entry?.value);
  }

  async raise(subscription: string): Promise<number> {
    const target = { kind: 'setting', name: entryName(subscription) } as const;
    const { epoch } = await changeEntry(this.#registry, target, (entry) => ({ epoch: epochOf(entry?.value) + 1 }));
    return epoch;
  }
}

function epochOf(value: unknown): number {
  return value === undefined ? 1 : schema.parse(value).epoch;
}

/** Of no tenant. */
function entryName(subscription: string): string {
  return `/epoch/${subscription}`;
}
