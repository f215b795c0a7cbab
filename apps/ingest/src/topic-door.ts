import { hash } from 'node:crypto';
import { defaultMapping, mappingForHeader, UnreadableSourceError, type Mapping } from '@meterflow/formats';
import { Problem } from '@meterflow/http';
import { ContentConflictError } from '@meterflow/receipts';
import type { Quotas, Tenants } from '@meterflow/registry';
import { PermanentError, TransientError, type Handled, type Sink, type Stage } from '@meterflow/stage';
import { InterruptedError } from './attempt.ts';
import { beginningOf, packingOf, unpacked } from './content.ts';
import { checkDailyQuota } from './daily-quota.ts';
import type { Mappings } from './mappings.ts';
import { readMessagePush, type MessagePush } from './message-push.ts';
import type { SourceRequest, TakeInPorts } from './source-request.ts';
import { SettingsGoneError, takeIn } from './take-in.ts';
import { withinBytes } from './within-bytes.ts';

export interface TopicDoor {
  readonly takeIn: TakeInPorts;
  readonly mappings: Mappings;
  readonly tenants: Pick<Tenants, 'get'>;
}

/** What has to be known of one message before it is taken in, or why it is not. */
interface Admitted {
  readonly quotas: Quotas;
  readonly named: Mapping | undefined;
  readonly choices: readonly Mapping[];
}
type Looked = Admitted | PermanentError;

/**
 * The door for messages: a stage on the providers' topic of a lane. What a message carries goes the way of every source
 * ({@link takeIn}), which is its write: durable when it resolves, and the same when it is done again. Whoever may publish
 * there is trusted to name the tenant: the right to is the operator's to give.
 */
export class TopicDoorStage implements Stage<MessagePush, readonly Looked[], SourceRequest> {
  readonly name = 'ingest';
  readonly #door: TopicDoor;
  readonly #lane: string;

  constructor(door: TopicDoor, lane: string) {
    this.#door = door;
    this.#lane = lane;
  }

  decode(message: Parameters<typeof readMessagePush>[0]): MessagePush {
    return readMessagePush(message);
  }

  key({ tenant, identity, contentHash }: MessagePush): string {
    return `${tenant}/${hash('sha256', `${identity} ${contentHash}`, 'hex').slice(0, 32)}`;
  }

  /** Nothing waits for it: its receipt begins with its acceptance. */
  origin({ tenant }: MessagePush): { tenant: string; causes: []; layers: [] } {
    return { tenant, causes: [], layers: [] };
  }

  async read(inputs: readonly MessagePush[]): Promise<readonly Looked[]> {
    return Promise.all(inputs.map((input) => this.#look(input)));
  }

  async handle(inputs: readonly MessagePush[], reads: readonly Looked[]): Promise<Handled<SourceRequest>> {
    const refused: { index: number; error: PermanentError }[] = [];
    const writes: SourceRequest[] = [];
    for (const [index, input] of inputs.entries()) {
      const looked = reads[index] as Looked;
      if (looked instanceof PermanentError) {
        refused.push({ index, error: looked });
      } else {
        writes.push(await this.#request(input, looked));
      }
    }
    return { writes, messages: [], refused };
  }

  async #look({ tenant, mapping: name, format }: MessagePush): Promise<Looked> {
    const { mappings, tenants, takeIn: ports } = this.#door;
    const known = await tenants.get(tenant);
    if (known === undefined) {
      return new PermanentError('unknown-tenant', `there is no tenant ${tenant}: create it, then retry`);
    }
    const full = await overQuota(tenant, known.quotas, ports);
    if (full !== undefined) {
      return full;
    }
    const named = name === undefined ? undefined : (await mappings.get(tenant, name))?.mapping;
    if (name !== undefined && (named === undefined || format === 'columns')) {
      const why = format === 'columns' ? 'columns need no mapping' : `the tenant has no mapping ${name}`;
      return new PermanentError('unknown-mapping', `${why}: put it, or leave it out, then retry`);
    }
    return { quotas: known.quotas, named, choices: format === 'csv' ? await mappings.choices(tenant) : [] };
  }

  async #request(push: MessagePush, { quotas, named, choices }: Admitted): Promise<SourceRequest> {
    const { tenant, format, sourceVersion, label, identity, contentHash } = push;
    const bytes = (): AsyncIterable<Uint8Array> => contentOf(push, quotas.bytesPerRequest);
    const mapping = named ?? (await byHeader(bytes, choices)) ?? defaultMapping;
    // Asked for again after a crash it is found as it was: a redelivery brings nothing twice.
    const once = { kind: 'topic', delivery: 'message', lane: this.#lane } as const;
    return { ...once, tenant, identity, contentHash, label, format, mapping, sourceVersion, bytes };
  }
}

/** Takes each in; one of which nothing could be taken has a receipt that says why, and becomes a dead letter. */
export function topicDoorSink(ports: TakeInPorts): Sink<SourceRequest> {
  return {
    write: async (requests) => {
      for (const request of requests) {
        const { refusal, counts, sourceId } = await takeIn(request, ports).catch((error: unknown) => {
          throw ofItsClass(error);
        });
        if (refusal !== undefined && counts.accepted === 0) {
          throw new PermanentError(refusal.code, `${refusal.reason} (source ${sourceId})`);
        }
      }
    },
  };
}

function ofItsClass(error: unknown): unknown {
  if (error instanceof InterruptedError) {
    return new TransientError(error.message, { cause: error });
  }
  if (error instanceof SettingsGoneError || error instanceof ContentConflictError) {
    return new PermanentError('settings-gone', `${error.message}; publish it again`, { cause: error });
  }
  return error;
}

/** A dead letter, which is retried once there is room: who waits on the topic would stand before everybody else. */
async function overQuota(tenant: string, quotas: Quotas, ports: TakeInPorts): Promise<PermanentError | undefined> {
  const { sources, clock } = ports;
  try {
    await checkDailyQuota({ tenant, ...quotas }, { sources, nowMs: () => clock.nowMs() });
    return undefined;
  } catch (error) {
    if (error instanceof Problem) {
      return new PermanentError('quota-exceeded', `${error.message}: retry it tomorrow, or raise the quota`);
    }
    throw error;
  }
}

/** Packed as its attribute says, or as its first bytes do: columns may begin with any bytes. */
function contentOf({ payload, packing, format }: MessagePush, bytesMax: number): AsyncIterable<Uint8Array> {
  const said = format === 'columns' || packing !== 'plain' ? packing : packingOf(payload);
  const content = unpacked(once(payload), said);
  return withinBytes(content, { fileBytes: payload.length, bytesMax });
}

// eslint-disable-next-line @typescript-eslint/require-await -- content comes in pieces, and this is one
async function* once(payload: Uint8Array): AsyncGenerator<Uint8Array> {
  yield payload;
}

/** Undefined also where the content can't be read: taking it in then says why, in a receipt. */
async function byHeader(
  bytes: () => AsyncIterable<Uint8Array>,
  choices: readonly Mapping[],
): Promise<Mapping | undefined> {
  if (choices.length === 0) {
    return undefined;
  }
  try {
    return mappingForHeader(await beginningOf(bytes()), choices);
  } catch (error) {
    if (error instanceof UnreadableSourceError) {
      return undefined;
    }
    throw error;
  }
}
