import { isDeepStrictEqual } from 'node:util';
import { BatchBuilder, rawVersion, ReadingRow, type ReadingBatch } from '@meterflow/readings';
import {
  convertUnit,
  flagRange,
  flowOf,
  ruleContract,
  type Flow,
  type FlowResult,
  type Sandbox,
} from '@meterflow/rules';

const readingsPerBatch = 96;

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
  readonly batch: ReadingBatch;
}

/** Tenants who mean well, each with a flow, a batch, and the result that they have when nobody disturbs them. */
export class HonestTenants {
  readonly #sandbox: Sandbox;
  readonly #tenants: readonly HonestTenant[];
  readonly #undisturbed: FlowResult[] = [];

  constructor(sandbox: Sandbox, count: number) {
    this.#sandbox = sandbox;
    this.#tenants = Array.from({ length: count }, (_, index) => {
      const name = `honest-${index}`;
      return { name, flow: flows[index % flows.length] as Flow, batch: batchOf(name, index) };
    });
  }

  get count(): number {
    return this.#tenants.length;
  }

  async learnUndisturbed(): Promise<void> {
    for (const { flow, batch } of this.#tenants) {
      this.#undisturbed.push(await this.#sandbox.run(flow, batch));
    }
  }

  /** Half of them send a batch, then `attack` is made, then the others send theirs. */
  async round(attack: () => void): Promise<HonestRound> {
    const half = Math.floor(this.#tenants.length / 2);
    const startMs = performance.now();
    let slowestMs = 0;
    const hurt: string[] = [];
    const send = async (index: number): Promise<void> => {
      const { name, flow, batch } = this.#tenants[index] as HonestTenant;
      try {
        const result = await this.#sandbox.run(flow, batch);
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

/** A day and more of quarter-hours that differ from tenant to tenant. */
export function batchOf(tenant: string, seed: number): ReadingBatch {
  const builder = new BatchBuilder();
  const row = new ReadingRow();
  for (let index = 0; index < readingsPerBatch; index++) {
    row.series = builder.series(`meter-${index % 2}`, index % 2 === 1 ? 'export' : 'import');
    row.unit = builder.text('kWh');
    row.version = builder.version(rawVersion(0, 1));
    row.startMs = Date.UTC(2024, 0, 1) + Math.floor(index / 2) * 1_800_000;
    row.lengthMs = 1_800_000;
    row.integer = ((index + seed * 31) * 7_919) % 3_000;
    row.decimals = 3;
    builder.append(row);
  }
  return builder.finish({ tenant, layer: 'raw', sourceId: 'attack/1', acceptedAtMs: 1, activation: 1 });
}
