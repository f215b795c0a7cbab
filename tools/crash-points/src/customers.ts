import { TransientError } from '@meterflow/stage';
import type { Supervisor } from './supervisor.ts';
import type { Timeline } from './world.ts';

/** What a customer does with a rule. What he was not told of he does again, until he is. */
export type CustomerOrder = { readonly tenant: string; readonly afterMs: number } & (
  | { readonly does: 'upload'; readonly source: string }
  /** The newest version; the activation is known as `as` from then on. */
  | { readonly does: 'activate'; readonly rule: string; readonly channels: string; readonly as: string }
  | { readonly does: 'roll-back'; readonly to: string }
  | { readonly does: 'reprocess'; readonly fromMs: number; readonly toMs: number }
);

const retryMs = 50;

/** Remembers what customers were told: the numbers of their activations. */
export class Customers {
  readonly #supervisor: Supervisor;
  readonly #time: Timeline;
  readonly #numbers = new Map<string, number>();

  constructor({ supervisor, time }: { readonly supervisor: Supervisor; readonly time: Timeline }) {
    this.#supervisor = supervisor;
    this.#time = time;
  }

  /** Resolves when each order, one after the other, was answered. */
  async order(orders: readonly CustomerOrder[]): Promise<void> {
    for (const order of orders) {
      await this.#time.sleep(order.afterMs);
      for (let attempt = 0; !(await this.#isAnswered(order, attempt)); attempt++) {
        await this.#time.sleep(retryMs);
      }
    }
  }

  async #isAnswered(order: CustomerOrder, attempt: number): Promise<boolean> {
    const desk = this.#supervisor.desk(attempt);
    if (desk === undefined) {
      return false;
    }
    const answered = this.#do(order, desk).then(
      () => true,
      (error: unknown) => {
        if (error instanceof TransientError) {
          return false;
        }
        throw error;
      },
    );
    return Promise.race([answered, desk.process.ended.then(() => false)]);
  }

  async #do(order: CustomerOrder, { rules, reprocesses }: NonNullable<ReturnType<Supervisor['desk']>>): Promise<void> {
    const { tenant } = order;
    switch (order.does) {
      case 'upload': {
        const files = new Map([['rule.ts', order.source]]);
        await rules.upload(tenant, { files, entry: 'rule.ts', author: 'customer' });
        return;
      }
      case 'activate': {
        const asked = { name: order.rule, channels: order.channels, parameters: {}, fromMs: -8e15 };
        this.#numbers.set(order.as, (await rules.activate(tenant, asked)).number);
        return;
      }
      case 'roll-back':
        await rules.rollBack(tenant, { number: this.#numbers.get(order.to) as number });
        return;
      case 'reprocess': {
        const { fromMs, toMs } = order;
        await reprocesses.add(tenant, { id: 'asked', fromMs, toMs, who: 'customer', why: '', notBeforeMs: 0 });
      }
    }
  }
}
