import type { GroupContext } from './group-context.ts';
import type { LeasedMessage, OutgoingMessage } from './message.ts';
import type { Handled } from './stage.ts';
import type { Span } from './telemetry.ts';

/** The attribute that carries a trace from message to message, as W3C names and writes it. */
export const traceAttribute = 'traceparent';
/** How many others' traces the span of a group's first message names. */
const linksMax = 64;

interface Traced {
  readonly messages: readonly LeasedMessage[];
}

/**
 * The spans of one attempt at a group: one for each message that belongs to a trace, in that trace. What several
 * messages come to together goes on in the trace of the first of them that has one; the group's first span names the
 * others.
 */
export class GroupTrace {
  readonly #spans: readonly (Span | undefined)[];

  constructor({ telemetry, stageName, source }: GroupContext, works: readonly Traced[]) {
    const parents = works.map(({ messages }) => messages[0]?.attributes[traceAttribute]);
    const traced = parents.filter((parent) => parent !== undefined);
    this.#spans = works.map(({ messages }, index) => {
      const parent = parents[index];
      return parent === undefined
        ? undefined
        : telemetry.startSpan(stageName, {
            parent,
            links: parent === traced[0] ? traced.slice(1, 1 + linksMax) : [],
            attributes: {
              subscription: source.subscription,
              tenant: messages[0]?.attributes['tenant'] ?? '',
              attempt: messages[0]?.deliveryAttempt ?? 0,
              groupMessages: works.length,
            },
          });
    });
  }

  /** The messages with the trace that each belongs to; all others as they are. */
  carriedOn({ messages, messagesOf }: Pick<Handled<never>, 'messages' | 'messagesOf'>): readonly OutgoingMessage[] {
    const carriers = this.#spans.map((span) => span?.traceparent);
    const first = carriers.find((carrier) => carrier !== undefined);
    if (first === undefined) {
      return messages;
    }
    return messages.map((message, index) => {
      const own = messagesOf?.[index]?.map((input) => carriers[input]).find((carrier) => carrier !== undefined);
      const carrier = messagesOf === undefined ? first : own;
      return carrier === undefined
        ? message
        : { ...message, attributes: { ...message.attributes, [traceAttribute]: carrier } };
    });
  }

  /** Ends the spans with what `work` comes to. */
  async around<Result>(work: (trace: this) => Promise<Result>): Promise<Result> {
    try {
      const result = await work(this);
      this.#end();
      return result;
    } catch (error) {
      this.#end(error as Error);
      throw error;
    }
  }

  #end(error?: Error): void {
    for (const span of this.#spans) {
      span?.end(error);
    }
  }
}
