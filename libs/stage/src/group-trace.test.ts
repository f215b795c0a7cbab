import { MemoryDeduper } from '@meterflow/dedupe';
import { describe, expect, test } from 'vitest';
import {
  PermanentError,
  runStage,
  silentTelemetry,
  stageLimits,
  type Handled,
  type Span,
  type SpanStart,
  type Stage,
  type Telemetry,
} from './index.ts';
import { SimulatedPublisher, SimulatedSubscription } from './testing/simulated-bus.ts';
import { SimulatedTime } from './testing/simulated-time.ts';

interface Recorded extends SpanStart {
  readonly name: string;
  readonly traceparent: string;
  ended: number;
  error?: Error;
}

/** Traces everything; the context of the span number n is `span n`. */
function recorder(): { spans: Recorded[]; telemetry: Telemetry } {
  const spans: Recorded[] = [];
  const startSpan = (name: string, start: SpanStart = {}): Span => {
    const span: Recorded = { name, ...start, traceparent: `span ${spans.length + 1}`, ended: 0 };
    spans.push(span);
    return {
      traceparent: span.traceparent,
      end: (error) => {
        span.ended += 1;
        Object.assign(span, error === undefined ? {} : { error });
      },
    };
  };
  return { spans, telemetry: { ...silentTelemetry, startSpan } };
}

type Echo = Stage<string, undefined, never>;

async function run(texts: readonly (readonly [text: string, parent?: string])[], handle: Echo['handle']) {
  const time = new SimulatedTime();
  const source = new SimulatedSubscription('echo', time);
  const publisher = new SimulatedPublisher();
  const { spans, telemetry } = recorder();
  for (const [text, parent] of texts) {
    source.add(new TextEncoder().encode(text), { tenant: 'acme', ...(parent && { traceparent: parent }) });
  }
  const stage: Echo = {
    name: 'echo',
    decode: ({ payload }) => new TextDecoder().decode(payload),
    key: (input) => `acme/${input}`,
    origin: () => ({ tenant: 'acme', causes: [], layers: [] }),
    read: () => Promise.resolve(undefined),
    handle,
  };
  const ports = {
    source,
    publisher,
    deduper: new MemoryDeduper({ nowMs: () => time.nowMs(), keysMax: 100 }),
    sink: { write: () => Promise.resolve() },
    deadLetters: { put: () => Promise.resolve() },
    clock: time,
    telemetry,
  };
  const stop = new AbortController();
  const running = runStage(stage, ports, { limits: stageLimits, owner: 'a', signal: stop.signal });
  while (source.unsettled > 0) {
    await time.sleep(10);
  }
  stop.abort();
  await running;
  return { spans, sent: publisher.published.map(({ attributes }) => attributes['traceparent']) };
}

const message = (text: string) => ({
  topic: 't',
  payload: new TextEncoder().encode(text),
  attributes: { tenant: 'acme' },
});
const eachOfItsOwn: Echo['handle'] = (inputs) =>
  Promise.resolve({ writes: [], messages: inputs.map(message), messagesOf: inputs.map((_, index) => [index]) });
const allTogether: Echo['handle'] = (inputs) => Promise.resolve({ writes: [], messages: [message(inputs.join())] });

describe('the trace of a group', () => {
  test('goes on from each message to what is made of it', async () => {
    const { spans, sent } = await run([['a', 'parent a'], ['b'], ['c', 'parent c']], eachOfItsOwn);
    expect(spans.map(({ name, parent, ended }) => [name, parent, ended])).toEqual([
      ['echo', 'parent a', 1],
      ['echo', 'parent c', 1],
    ]);
    expect(spans[0]?.attributes).toEqual({ subscription: 'echo', tenant: 'acme', attempt: 1, groupMessages: 3 });
    expect(sent).toEqual(['span 1', undefined, 'span 2']);
  });

  test('of what several messages come to is the first one’s, which names the others', async () => {
    const { spans, sent } = await run([['a'], ['b', 'parent b'], ['c', 'parent c']], allTogether);
    expect(spans.map(({ parent, links }) => [parent, links])).toEqual([
      ['parent b', ['parent c']],
      ['parent c', []],
    ]);
    expect(sent).toEqual(['span 1']);
  });

  test('is nothing where no message belongs to one', async () => {
    const { spans, sent } = await run([['a'], ['b']], eachOfItsOwn);
    expect([spans, sent]).toEqual([[], [undefined, undefined]]);
  });

  test('tells of each attempt, and why it failed', async () => {
    const error = new PermanentError('bad', 'bad');
    const failing = (inputs: readonly string[]): Promise<Handled<never>> =>
      inputs.includes('bad') ? Promise.reject(error) : Promise.resolve({ writes: [], messages: [] });
    const { spans } = await run(
      [
        ['good', 'parent good'],
        ['bad', 'parent bad'],
      ],
      failing,
    );
    expect(spans.map(({ parent, ended, error: why }) => [parent, ended, why])).toEqual([
      ['parent good', 1, error],
      ['parent bad', 1, error],
      ['parent good', 1, undefined],
      ['parent bad', 1, error],
    ]);
  });
});
