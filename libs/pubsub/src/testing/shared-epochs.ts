import type { Epochs } from '@meterflow/stage';

/** Epochs that several buses of one test process share. */
export class SharedEpochs implements Epochs {
  readonly #epochs = new Map<string, number>();

  current(subscription: string): Promise<number> {
    return Promise.resolve(this.#epochs.get(subscription) ?? 1);
  }

  async raise(subscription: string): Promise<number> {
    const raised = (await this.current(subscription)) + 1;
    this.#epochs.set(subscription, raised);
    return raised;
  }
}
