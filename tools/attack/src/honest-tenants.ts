import { isDeepStrictEqual } from 'node:util';
import {
  convertUnit,
  flagRange,
  flowOf,
  ruleContract,
  stockRules,
  type Flow,
  type FlowResult,
  type Sandbox,
  type StockRule,
} from '@meterflow/rules';
import { runOnce } from './run-once.ts';

/** Sees what an attack may have left behind in what all rules share, were there such a thing. */
const watchful = {
  id: 'watchful-tenant',
  name: 'watchful',
  contract: ruleContract,
  source: `import { defineRule } from '@meterflow/rule-sdk';
export default defineRule({
  name: 'watchful',
  onReading(reading) {
    for (const key in {}) reading.reject('polluted by ' + key);
    if ([1, 2].map((x) => x + 1).join() !== '2,3' || JSON.stringify({ a: [1] }) !== '{"a":[1]}') reading.reject('polluted');
    reading.value = Math.round(reading.value * 1000) / 1000 + 0.5;
    reading.method = 'half more than ' + (reading.value > 1 ? 'much' : 'little');
  },
});`,
};

const flows: readonly Flow[] = [
  flowOf('convert', [
    { rule: convertUnit, parameters: { factor: 1000, unit: 'Wh' } },
    { rule: flagRange, parameters: { below: 0, above: 2_000, quality: 'estimated' } },
  ]),
  flowOf('watch', [{ rule: watchful, parameters: {} }]),
  flowOf('flag', [{ rule: flagRange, parameters: { below: 0.5 } }]),
  flowOf('fill', [{ rule: (stockRules.get('fill-linear') as StockRule).version, parameters: {} }]),
];

/** What became of the honest tenants in one round. */
export interface HonestRound {
  /** Tenants whose result was another than undisturbed, or none at all, with what they got. */
  readonly hurt: readonly string[];
  /** Until the last of them had its result. */
  readonly slowestMs: number;
}

interface HonestTenant {
  readonly name: string;
  readonly flow: Flow;
  readonly seed: number;
}

/** Tenants who mean well, each with a flow, a batch, and the result that they have when nobody disturbs them. */
export class HonestTenants {
  readonly #sandbox: Sandbox;
  readonly #tenants: readonly HonestTenant[];
  readonly #undisturbed: FlowResult[] = [];

  constructor(sandbox: Sandbox, count: number) {
    this.#sandbox = sandbox;
    this.#tenants = Array.from({ length: count }, (_, index) => {
      return { name: `honest-${index}`, flow: flows[index % flows.length] as Flow, seed: index };
    });
  }

  get count(): number {
    return this.#tenants.length;
  }

  async learnUndisturbed(): Promise<void> {
    for (const { name, flow, seed } of this.#tenants) {
      this.#undisturbed.push(await runOnce(this.#sandbox, flow, { tenant: name, seed }));
    }
  }

  /** Half of them send a batch, then `attack` is made, then the others send theirs. */
  async round(attack: () => void): Promise<HonestRound> {
    const half = Math.floor(this.#tenants.length / 2);
    const startMs = performance.now();
    let slowestMs = 0;
    const hurt: string[] = [];
    const send = async (index: number): Promise<void> => {
      const { name, flow, seed } = this.#tenants[index] as HonestTenant;
      try {
        const result = await runOnce(this.#sandbox, flow, { tenant: name, seed });
        if (!isDeepStrictEqual(result, this.#undisturbed[index])) {
          hurt.push(`${name} got another result`);
        }
      } catch (error) {
        hurt.push(`${name} got none: ${(error as Error).message}`);
      }
      slowestMs = Math.max(slowestMs, performance.now() - startMs);
    };
    const before = Array.from({ length: half }, (_, index) => send(index));
    attack();
    const after = Array.from({ length: this.#tenants.length - half }, (_, index) => send(half + index));
    await Promise.all([...before, ...after]);
    return { hurt, slowestMs };
  }
}
