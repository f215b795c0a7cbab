import {
  decodeReadingBatch,
  encodeReadingBatch,
  messageAttributes,
  payloadKey,
  topicName,
  type Lane,
} from '@meterflow/contracts';
import { sliceBatch, type ReadingBatch } from '@meterflow/readings';
import { readingFlowPart, type Activation, type RuleFailure, type Sandbox } from '@meterflow/rules';
import type { Activations } from '@meterflow/registry';
import {
  HaltedError,
  PermanentError,
  type Handled,
  type LeasedMessage,
  type OutgoingMessage,
  type Stage,
} from '@meterflow/stage';
import { activationRanges, batchSpan } from './activation-ranges.ts';
import { runActivation } from './run-activation.ts';

export interface RuleExecutionPorts {
  readonly sandbox: Pick<Sandbox, 'run'>;
  /** Activations never change once made, so any cache of them by number is right. */
  readonly activations: Pick<Activations, 'counting'>;
  /**
   * Resolves when the sandbox's first child is up or has failed. Awaited before handling: a process that is killed while
   * a child starts must not count as killed by the batch that waits for it.
   */
  readonly warm?: Promise<unknown>;
  /** Told of each step that failed on a reading; what became of it is the severity's or the policy's. */
  readonly onFailure?: (failure: RuleFailure & { readonly tenant: string }) => void;
}

/** An accepted batch with its key. */
export interface AcceptedBatch {
  readonly batch: ReadingBatch;
  readonly key: string;
}

/** For each input the activations that count for its readings, highest first. */
export type CountingActivations = readonly (readonly Activation[])[];

export type RuleExecutionStage = Stage<AcceptedBatch, CountingActivations, never>;

/**
 * Takes the tenant's reading flow over each accepted batch and sends the validated readings on. Which activation counts
 * is fixed by the batch's stamp and the readings' own times, so a retry anywhere makes the same bytes.
 */
export function ruleExecutionStage(ports: RuleExecutionPorts, { lane }: { readonly lane: Lane }): RuleExecutionStage {
  const topic = topicName('readings.transformed', lane);
  return {
    name: 'rule-execution',
    decode: acceptedBatch,
    key: ({ batch, key }) => `${batch.tenant}/${key}`,
    origin: ({ batch, key }) => ({
      tenant: batch.tenant,
      causes: [batch.cause ?? { sourceId: batch.sourceId, key, part: 0, parts: 1 }],
      layers: ['validated', 'hour', 'day', 'month'],
    }),
    read: async (inputs) => {
      await ports.warm;
      return Promise.all(
        inputs.map(({ batch }) => ports.activations.counting(batch.tenant, batch.activation, batchSpan(batch))),
      );
    },
    handle: (inputs, reads) => handle(ports, inputs, { reads, topic }),
  };
}

function acceptedBatch({ payload }: LeasedMessage): AcceptedBatch {
  const batch = decodeReadingBatch(payload);
  if (batch.layer !== 'raw') {
    throw new PermanentError('wrong-layer', `rules run on raw readings, not on ${batch.layer} ones`);
  }
  return { batch, key: payloadKey(payload) };
}

/** What is shared by the inputs of a group ends before this: messages are made input by input. */
async function handle(
  { sandbox, onFailure }: RuleExecutionPorts,
  inputs: readonly AcceptedBatch[],
  { reads, topic }: { readonly reads: CountingActivations; readonly topic: string },
): Promise<Handled<never>> {
  const outcomes = await Promise.all(
    inputs.map((input, index) =>
      transform(sandbox, input, reads[index] ?? []).catch((error: unknown) => {
        if (error instanceof HaltedError) {
          return error;
        }
        throw error;
      }),
    ),
  );
  const messages: OutgoingMessage[] = [];
  const messagesOf: number[][] = [];
  const refused: NonNullable<Handled<never>['refused']>[number][] = [];
  outcomes.forEach((outcome, index) => {
    if (outcome instanceof HaltedError) {
      refused.push({ index, error: outcome });
      return;
    }
    outcome.failures.forEach((failure) => onFailure?.({ ...failure, tenant: inputs[index]?.batch.tenant ?? '' }));
    messages.push(...outcome.validated.map((batch) => transformedMessage(batch, topic)));
    messagesOf.push(...outcome.validated.map(() => [index]));
    outcome.rejected.forEach((batch) => refused.push({ index, ...rejectedPart(batch) }));
  });
  return { writes: [], messages, messagesOf, refused };
}

interface Transformed {
  readonly validated: readonly ReadingBatch[];
  readonly rejected: readonly ReadingBatch[];
  readonly failures: readonly RuleFailure[];
}

/** Takes each reading through the flow that counts for it. All that goes back to one accepted batch shares its parts. */
async function transform(
  sandbox: Pick<Sandbox, 'run'>,
  { batch, key }: AcceptedBatch,
  counting: readonly Activation[],
): Promise<Transformed> {
  const ranges = activationRanges(batch, counting);
  const [only] = ranges;
  const applied =
    ranges.length === 1 && only !== undefined
      ? [await runPart(sandbox, only.activation, { batch, key })]
      : await Promise.all(
          ranges.map(({ activation, from, to }) =>
            runPart(sandbox, activation, { batch: sliceBatch(batch, from, to), key }),
          ),
        );
  const validated = applied.flatMap((part) => part.validated);
  return {
    validated:
      applied.length === 1 ? validated : validated.map((part, index) => withPart(part, index, validated.length)),
    rejected: applied.flatMap(({ rejected }) => rejected ?? []),
    failures: applied.flatMap(({ failures }) => failures),
  };
}

/** Readings whose channel has a series flow are left out: that runs on them once they are stored. */
function runPart(
  sandbox: Pick<Sandbox, 'run'>,
  activation: Activation,
  { batch, key }: AcceptedBatch,
): ReturnType<typeof runActivation> {
  return runActivation(sandbox, activation, { batch: readingFlowPart(batch, activation.flow), key });
}

function withPart(batch: ReadingBatch, part: number, parts: number): ReadingBatch {
  return batch.cause === undefined ? batch : { ...batch, cause: { ...batch.cause, part, parts } };
}

function transformedMessage(batch: ReadingBatch, topic: string): OutgoingMessage {
  return {
    topic,
    payload: encodeReadingBatch(batch),
    attributes: messageAttributes('ReadingBatch', batch.tenant),
  };
}

function rejectedPart(batch: ReadingBatch): { error: Error; part: { key: string; payload: Uint8Array } } {
  const payload = encodeReadingBatch(batch);
  const count = batch.columns.values.length;
  const error = new PermanentError('readings-rejected', `the flow rejected ${count} readings`);
  return { error, part: { key: payloadKey(payload), payload } };
}
