import { dedupeKey, MemoryDeduper, type Deduper } from '@meterflow/dedupe';
import { describe, expect, test } from 'vitest';
import {
  FatalError,
  HaltedError,
  IntegrityError,
  OvertakenWorkError,
  PermanentError,
  runStage,
  silentTelemetry,
  stageLimits,
  StageProgress,
  TransientError,
  type DeadLetter,
  type DeadLetterSink,
  type Handled,
  type Sink,
  type Source,
  type Stage,
  type StageLimits,
} from './index.ts';
import { SimulatedPublisher, SimulatedSubscription } from './testing/simulated-bus.ts';
import { SimulatedProcess, type Moment } from './testing/simulated-process.ts';
import { SimulatedTime } from './testing/simulated-time.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (payload: Uint8Array): string => new TextDecoder().decode(payload);

/** Writes each text into a set and publishes it; texts name what they do wrong. */
class World {
  readonly time = new SimulatedTime();
  readonly source = new SimulatedSubscription('echo', this.time);
  readonly publisher = new SimulatedPublisher();
  readonly deduper: Deduper = new MemoryDeduper({ nowMs: () => this.time.nowMs(), keysMax: 1_000 });
  readonly written: string[] = [];
  readonly letters = new Map<string, DeadLetter>();
  readonly groups: string[][] = [];
  sinkDownUntilMs = 0;
  downstreamBehindUntilMs = 0;
  /** What the dead letters refuse for good. */
  refuses: (letter: DeadLetter) => boolean = () => false;
  refusals = 0;
  failures: (inputs: readonly string[]) => Error | undefined = () => undefined;
  #runs = 0;

  readonly sink: Sink<string> = {
    write: (writes) => {
      if (this.time.nowMs() < this.sinkDownUntilMs) {
        return Promise.reject(new TransientError('the sink is down'));
      }
      this.written.push(...writes);
      return Promise.resolve();
    },
  };

  readonly deadLetters: DeadLetterSink = {
    put: (letters) => {
      if (letters.some(this.refuses)) {
        this.refusals += 1;
        return Promise.reject(new PermanentError('too-large', 'no cell holds that'));
      }
      letters.forEach((letter) => this.letters.set(letter.id, letter));
      return Promise.resolve();
    },
  };

  readonly stage: Stage<string, undefined, string> = {
    name: 'echo',
    decode: ({ payload }) => {
      if (payload.length === 0) {
        throw new PermanentError('empty', 'no bytes');
      }
      return text(payload);
    },
    key: (input) => `acme/${input}`,
    origin: () => ({ tenant: 'acme', causes: [], layers: ['raw'] }),
    read: () => Promise.resolve(undefined),
    handle: (inputs) => {
      this.groups.push([...inputs]);
      const failure = this.failures(inputs);
      return failure === undefined ? Promise.resolve(handled(inputs)) : Promise.reject(failure);
    },
  };

  add(...texts: string[]): this {
    texts.forEach((each) => {
      this.source.add(bytes(each));
    });
    return this;
  }

  /** Runs the stage until nothing is unsettled, or the process has died; then drains. */
  async run(process = new SimulatedProcess(), limits: Partial<StageLimits> = {}): Promise<void> {
    const drain = new AbortController();
    const progress = new StageProgress();
    const running = runStage(
      this.stage,
      {
        source: process.guard(this.source),
        publisher: process.guard(this.publisher),
        deduper: process.guard(this.deduper),
        sink: process.guard(this.sink),
        deadLetters: process.guard(this.deadLetters),
        downstream: { isBehind: () => Promise.resolve(this.time.nowMs() < this.downstreamBehindUntilMs) },
        clock: process.clock(this.time),
        telemetry: silentTelemetry,
      },
      { limits: { ...stageLimits, ...limits }, owner: `run-${++this.#runs}`, signal: drain.signal, progress },
    );
    const settled = (async (): Promise<void> => {
      while (this.source.unsettled > 0 && !process.dead) {
        await this.time.sleep(50);
      }
    })();
    await Promise.race([running, settled, process.died]);
    drain.abort();
    await Promise.race([running, process.died]);
  }

  get published(): string[] {
    return this.publisher.published.map(({ payload }) => text(payload));
  }
}

function handled(inputs: readonly string[]): Handled<string> {
  return {
    writes: inputs,
    messages: inputs.map((input) => ({ topic: 'out', payload: bytes(input), attributes: {} })),
  };
}

describe('a stage', () => {
  test('writes, publishes and acks every message', async () => {
    const world = new World().add('a', 'b', 'c');
    await world.run();
    expect([world.written, world.published, world.source.unsettled]).toEqual([['a', 'b', 'c'], ['a', 'b', 'c'], 0]);
  });

  test.each([
    ['abcdefgh', 40, 'abcdefgh', 'as long as messages come'],
    ['abcdefgh', 90, 'a', 'no longer once none came for a while'],
    ['abcdefghijklmnopqrst', 40, 'abcdefghijklm', 'never longer than its bound'],
  ])('a group of %s, one each %i ms, begins as %s: it waits for more %s', async (names, gapMs, first) => {
    const world = new World();
    const { source, publisher, deduper, sink, deadLetters, time: clock } = world;
    const ports = { source, publisher, deduper, sink, deadLetters, clock, telemetry: silentTelemetry };
    const drain = new AbortController();
    const limits = { ...stageLimits, coalesceMs: 500, restMs: 60, groupMessagesMax: 100 };
    world.add(names.slice(0, 1));
    const running = runStage(world.stage, ports, { limits, owner: 'one', signal: drain.signal });
    for (const name of names.slice(1)) {
      await clock.sleep(gapMs);
      world.add(name);
    }
    await clock.sleep(2_000);
    drain.abort();
    await running;
    expect(world.groups[0]?.join('')).toBe(first);
    expect(world.groups.flat().join('')).toBe(names);
  });

  test('acks a duplicate without handling it, in one group and in a later one', async () => {
    const world = new World().add('a', 'a', 'b');
    await world.run();
    world.add('a');
    await world.run();
    expect([world.written, world.source.unsettled]).toEqual([['a', 'b'], 0]);
  });

  test('acks a duplicate without handling it, also when another group of the same process is at work on it', async () => {
    const world = new World().add('a', 'a', 'b', 'a');
    Object.assign(world.stage, { read: () => world.time.sleep(100) });
    await world.run(new SimulatedProcess(), { groupMessagesMax: 1, groupsInFlightMax: 4 });
    expect([world.written.toSorted(), world.published.toSorted(), world.source.unsettled]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
      0,
    ]);
  });

  test('groups that hold what the other one waits for do not wait for ever', async () => {
    const world = new World().add('a', 'b', 'b', 'a', 'a', 'b');
    await world.run(new SimulatedProcess(), { groupMessagesMax: 2, groupsInFlightMax: 3 });
    expect([world.written.toSorted(), world.source.unsettled]).toEqual([['a', 'b'], 0]);
  });

  test('dead-letters what cannot be decoded, with reason and original bytes, and goes on', async () => {
    const world = new World().add('', 'a');
    await world.run();
    expect(world.written).toEqual(['a']);
    expect(
      [...world.letters.values()].map(({ reasonCode, state, payload }) => [reasonCode, state, payload.length]),
    ).toEqual([['empty', 'dead', 0]]);
  });

  test('retries a failing group message by message, and dead-letters only the one that no retry mends', async () => {
    const world = new World().add('a', 'bad', 'c');
    world.failures = (inputs) => (inputs.includes('bad') ? new PermanentError('bad', 'is bad') : undefined);
    await world.run();
    expect(world.written.toSorted()).toEqual(['a', 'c']);
    expect([...world.letters.keys()]).toEqual(['echo/acme/bad']);
    expect(world.groups[0]).toEqual(['a', 'bad', 'c']);
  });

  test('never marks a dead-lettered key done: a retry of it is handled', async () => {
    const world = new World().add('bad');
    world.failures = () => new PermanentError('bad', 'is bad');
    await world.run();
    world.failures = () => undefined;
    world.add('bad');
    await world.run();
    expect(world.written).toEqual(['bad']);
  });

  test('parks what a policy halts', async () => {
    const world = new World().add('a');
    world.failures = () => new HaltedError('rule-threw', 'the flow halts');
    await world.run();
    expect([...world.letters.values()].map(({ state }) => state)).toEqual(['parked']);
  });

  test('dead-letters what breaks a rule of our own, and says so as an error; what is merely refused is a warning', async () => {
    const world = new World().add('broken', 'refused');
    world.failures = ([input]) =>
      input === 'broken' ? new IntegrityError('counts-differ', 'no sum') : new PermanentError('refused', 'no');
    const told: string[] = [];
    const { source, publisher, deduper, sink, deadLetters, time: clock } = world;
    const tell =
      (level: string) =>
      (_: string, fields: Readonly<Record<string, unknown>> = {}) => {
        told.push(`${level} ${String(fields['code'])}`);
      };
    const logger = { ...silentTelemetry.logger, warn: tell('warn'), error: tell('error') };
    const count = (name: string, _: number, { code }: Readonly<Record<string, unknown>> = {}): void => {
      if (name === 'stage_dead_letters_total') {
        told.push(`counted ${String(code)}`);
      }
    };
    const telemetry = { ...silentTelemetry, logger, count };
    const ports = { source, publisher, deduper, sink, deadLetters, clock, telemetry };
    const drain = new AbortController();
    const running = runStage(world.stage, ports, { limits: stageLimits, owner: 'one', signal: drain.signal });
    await clock.sleep(5_000);
    drain.abort();
    await running;
    expect(told.toSorted()).toEqual([
      'counted counts-differ',
      'counted refused',
      'error counts-differ',
      'warn refused',
    ]);
    expect([...world.letters.values()].map(({ reasonCode }) => reasonCode).toSorted()).toEqual([
      'counts-differ',
      'refused',
    ]);
    expect(world.source.unsettled).toBe(0);
  });

  test('pauses receiving while the sink is down, and loses nothing', async () => {
    const world = new World().add(...Array.from({ length: 200 }, (_, index) => `m${index}`));
    world.sinkDownUntilMs = world.time.nowMs() + 60_000;
    await world.run();
    expect(new Set(world.written).size).toBe(200);
    expect(world.letters.size).toBe(0);
    // Two groups of 16 are in flight; a stage that did not pause would have leased all 200.
    expect(world.groups.flat().filter((input) => input === 'm199').length).toBe(1);
  });

  test('tries what was overtaken again by itself, ever later, after all others', async () => {
    const world = new World().add('late', ...Array.from({ length: 40 }, (_, index) => `m${index}`));
    const atMs: number[] = [];
    world.failures = (inputs) => {
      if (!inputs.includes('late') || atMs.length > 3) {
        return undefined;
      }
      atMs.push(...(inputs.length === 1 ? [world.time.nowMs()] : []));
      return new OvertakenWorkError('another run was faster');
    };
    const limits = { backOffMs: 1_000, backOffMsMax: 2_000, groupMessagesMax: 4 };
    await world.run(new SimulatedProcess(), limits);
    expect(world.written).toHaveLength(41);
    expect(world.written.at(-1)).toBe('late');
    expect(world.letters.size).toBe(0);
    expect(atMs.slice(1).map((each, index) => Math.floor((each - (atMs[index] as number)) / 1_000))).toEqual([1, 2, 2]);
  });

  test('gives a message that fails for no known reason back with a delay, and others go on meanwhile', async () => {
    const world = new World().add('odd', 'a');
    let failures = 0;
    world.failures = (inputs) => (inputs.includes('odd') && ++failures < 4 ? new Error('no class') : undefined);
    await world.run();
    expect([world.written, world.letters.size]).toEqual([['a', 'odd'], 0]);
  });

  test('dead-letters what keeps failing for no known reason, ever later, after unexpectedAttemptsMax, with its bytes', async () => {
    const world = new World().add('odd', 'a');
    const atMs: number[] = [];
    world.failures = (inputs) => {
      if (inputs.length === 1 && inputs[0] === 'odd') {
        atMs.push(world.time.nowMs());
      }
      return inputs.includes('odd') ? new Error('no class') : undefined;
    };
    const limits = { unexpectedAttemptsMax: 4, unexpectedBackOffMs: 1_000, unexpectedBackOffMsMax: 3_000 };
    await world.run(new SimulatedProcess(), limits);
    expect(world.written).toEqual(['a']);
    expect(
      [...world.letters.values()].map(({ reasonCode, state, payload }) => [reasonCode, state, text(payload)]),
    ).toEqual([['unexpected', 'dead', 'odd']]);
    // The first try was in a group; the stage looks for messages once a second.
    const waitsMs = atMs.slice(1).map((each, index) => each - (atMs[index] ?? 0));
    expect(waitsMs.map((waitMs) => Math.floor(waitMs / 1_000))).toEqual([1, 2, 3]);
    expect(world.source.unsettled).toBe(0);
    // Whoever mended it sends it again: its failures are not held against it.
    let failures = 0;
    world.failures = () => (++failures < 4 ? new Error('no class') : undefined);
    await world.add('odd').run(new SimulatedProcess(), limits);
    expect(world.written).toEqual(['a', 'odd']);
  });

  test('ends with the error when it is fatal, and acks nothing', async () => {
    const world = new World().add('a');
    world.failures = () => new FatalError('the data directory is gone');
    await expect(world.run()).rejects.toThrow(FatalError);
    expect(world.source.unsettled).toBe(1);
  });

  test('ends with the error when receiving fails for good, after what is in work', async () => {
    const world = new World().add('a');
    const receive = world.source.receive.bind(world.source);
    const writing = Promise.withResolvers<undefined>();
    Object.assign(world.source, {
      receive: async (request: Parameters<typeof receive>[0]) => {
        if (world.groups.length > 0) {
          throw new FatalError('the subscription is gone');
        }
        return receive(request);
      },
    });
    const write = world.sink.write.bind(world.sink);
    Object.assign(world.sink, { write: (writes: readonly string[]) => writing.promise.then(() => write(writes)) });
    const running = world.run(new SimulatedProcess(), { groupMessagesMax: 1 });
    void world.time.sleep(5_000).then(() => {
      writing.resolve(undefined);
    });
    await expect(running).rejects.toThrow('the subscription is gone');
    expect([world.written, world.source.unsettled]).toEqual([['a'], 0]);
  });

  test('goes on with the same results while the deduper is down', async () => {
    const world = new World().add('a', 'b', 'b');
    const down = (): Promise<never> => Promise.reject(new Error('down'));
    Object.assign(world.deduper, { claim: down, renew: down, done: down, release: down, markHandling: down });
    await world.run();
    expect([new Set(world.written), world.source.unsettled]).toEqual([new Set(['a', 'b']), 0]);
  });

  test('holds what a live owner has leased until that one is done, without handling or nacking it', async () => {
    const world = new World().add('a');
    const mark = dedupeKey('echo', 1, 'acme/a');
    await world.deduper.claim([mark], { owner: 'other', leaseMs: 5_000 });
    const done = world.time.sleep(3_000).then(() => world.deduper.done([mark], { owner: 'other', doneTtlMs: 60_000 }));
    await Promise.all([world.run(), done]);
    expect([world.written, world.source.unsettled, world.source.deliveries]).toEqual([[], 0, 1]);
  });

  test('holds keys of others beside its work: messages that came later are settled meanwhile', async () => {
    const world = new World().add('a', 'b');
    const mark = dedupeKey('echo', 1, 'acme/a');
    await world.deduper.claim([mark], { owner: 'other', leaseMs: 20_000 });
    const writtenAtMs: Record<string, number> = {};
    const write = world.sink.write.bind(world.sink);
    Object.assign(world.sink, {
      write: (writes: readonly string[]) => {
        writes.forEach((each) => (writtenAtMs[each] = world.time.nowMs() - startMs));
        return write(writes);
      },
    });
    const startMs = world.time.nowMs();
    const later = world.time.sleep(5_000).then(() => world.add('c'));
    await Promise.all([world.run(new SimulatedProcess(), { groupMessagesMax: 1, groupsInFlightMax: 1 }), later]);
    expect([world.written, world.source.deliveries]).toEqual([['b', 'c', 'a'], 3]);
    expect(writtenAtMs['b']).toBeLessThan(1_000);
    expect(writtenAtMs['c']).toBeLessThan(7_000);
    expect(writtenAtMs['a']).toBeGreaterThanOrEqual(20_000);
  });

  test('holds no more than groupsHeldMax groups beside its work, then receives nothing more', async () => {
    const keys = ['a', 'b', 'c', 'd'];
    const world = new World().add(...keys);
    const marks = keys.map((key) => dedupeKey('echo', 1, `acme/${key}`));
    await world.deduper.claim(marks, { owner: 'other', leaseMs: 60_000 });
    const released = world.time.sleep(30_000).then(() => {
      expect(world.source.deliveries).toBe(3);
      return world.deduper.release(marks, 'other');
    });
    const limits = { groupMessagesMax: 1, groupsInFlightMax: 1, groupsHeldMax: 2 };
    await Promise.all([world.run(new SimulatedProcess(), limits), released]);
    expect([world.written.toSorted(), world.source.unsettled]).toEqual([keys, 0]);
  });

  test('is not stuck while it waits for what a live owner holds', async () => {
    const world = new World().add('a');
    const mark = dedupeKey('echo', 1, 'acme/a');
    await world.deduper.claim([mark], { owner: 'other', leaseMs: 120_000 });
    const { source, publisher, deduper, sink, deadLetters, time: clock } = world;
    const ports = { source, publisher, deduper, sink, deadLetters, clock, telemetry: silentTelemetry };
    const [drain, progress] = [new AbortController(), new StageProgress()];
    const running = runStage(world.stage, ports, { limits: stageLimits, owner: 'one', signal: drain.signal, progress });
    await clock.sleep(100_000);
    expect([progress.inFlight, progress.stuck(clock.nowMs(), 5_000)]).toEqual([1, false]);
    drain.abort();
    await running;
  });

  test('is stuck when one group is, though others are settled', async () => {
    const world = new World().add('wedged');
    const { source, publisher, deduper, deadLetters, time: clock } = world;
    const wedge = Promise.withResolvers<undefined>();
    const sink: Sink<string> = {
      write: async (writes) => (writes.includes('wedged') ? wedge.promise : world.sink.write(writes)),
    };
    const ports = { source, publisher, deduper, sink, deadLetters, clock, telemetry: silentTelemetry };
    const [drain, progress] = [new AbortController(), new StageProgress()];
    const limits = { ...stageLimits, groupMessagesMax: 1, groupsInFlightMax: 2 };
    const running = runStage(world.stage, ports, { limits, owner: 'one', signal: drain.signal, progress });
    for (const name of ['a', 'b', 'c', 'd']) {
      await clock.sleep(2_000);
      world.add(name);
    }
    await clock.sleep(500);
    expect([world.written, progress.inFlight]).toEqual([['a', 'b', 'c', 'd'], 1]);
    expect([progress.stuck(clock.nowMs(), 5_000), progress.stuck(clock.nowMs(), 10_000)]).toEqual([true, false]);
    wedge.resolve(undefined);
    await clock.sleep(500);
    expect([progress.inFlight, progress.stuck(clock.nowMs(), 0)]).toEqual([0, false]);
    drain.abort();
    await running;
  });

  test('is idle since the first look that found nothing, not while it has work or the bus is down', async () => {
    const world = new World();
    const { publisher, deduper, sink, deadLetters, time: clock } = world;
    let isDown = false;
    const { source: up } = world;
    const source: Source = {
      subscription: up.subscription,
      ackDeadlineMs: up.ackDeadlineMs,
      epoch: () => up.epoch(),
      receive: (request) => (isDown ? Promise.reject(new TransientError('is down')) : up.receive(request)),
      ack: (messages) => up.ack(messages),
      nack: (messages, delayMs) => up.nack(messages, delayMs),
      extend: (messages) => up.extend(messages),
    };
    const ports = { source, publisher, deduper, sink, deadLetters, clock, telemetry: silentTelemetry };
    const [drain, progress] = [new AbortController(), new StageProgress()];
    const running = runStage(world.stage, ports, { limits: stageLimits, owner: 'one', signal: drain.signal, progress });
    await clock.sleep(5_500);
    expect(progress.idleMs).toBeGreaterThanOrEqual(4_000);
    world.add('a');
    await clock.sleep(1_200);
    expect(progress.idleMs).toBeLessThanOrEqual(1_200);
    await clock.sleep(4_000);
    expect(progress.idleMs).toBeGreaterThanOrEqual(3_000);
    isDown = true;
    await clock.sleep(3_000);
    expect(progress.idleMs).toBe(0);
    drain.abort();
    await running;
  });

  test('a drain while the dead letters are down gives back messages and claims: no death is counted', async () => {
    const world = new World().add('bad');
    world.failures = () => new PermanentError('bad', 'is bad');
    const put = world.deadLetters.put.bind(world.deadLetters);
    const drain = new AbortController();
    Object.assign(world.deadLetters, {
      put: () => {
        drain.abort();
        return Promise.reject(new TransientError('down'));
      },
    });
    const { source, publisher, deduper, sink, deadLetters, time: clock } = world;
    const ports = { source, publisher, deduper, sink, deadLetters, clock, telemetry: silentTelemetry };
    await runStage(world.stage, ports, { limits: stageLimits, owner: 'one', signal: drain.signal });
    const mark = dedupeKey('echo', 1, 'acme/bad');
    const [claim] = await deduper.claim([mark], { owner: 'next', leaseMs: 5_000 });
    expect(claim).toEqual({ state: 'claimed', ownerDied: false, deaths: 0 });
    await deduper.release([mark], 'next');
    Object.assign(world.deadLetters, { put });
    await world.run();
    expect([world.letters.size, source.unsettled]).toEqual([1, 0]);
  });

  test('keeps the lease of long work: one delivery however long it takes', async () => {
    const world = new World().add('slow');
    const handle = world.stage.handle.bind(world.stage);
    Object.assign(world.stage, {
      handle: async (inputs: readonly string[]) => {
        await world.time.sleep(120_000);
        return handle(inputs, undefined);
      },
    });
    await world.run();
    expect([world.written, world.source.deliveries]).toEqual([['slow'], 1]);
  });
});

describe('a message whose handling kills the process', () => {
  test('is handled alone from then on, and is a dead letter after poisonAttemptsMax deaths', async () => {
    const world = new World().add('poison', 'a', 'b');
    const handle = world.stage.handle.bind(world.stage);
    let process = new SimulatedProcess();
    Object.assign(world.stage, {
      handle: (inputs: readonly string[]) => {
        if (inputs.includes('poison')) {
          world.groups.push([...inputs]);
          return process.guard({ die: (): Promise<never> => new Promise(() => undefined) }).die();
        }
        return handle(inputs, undefined);
      },
    });
    for (let run = 0; run < 5 && world.source.unsettled > 0; run++) {
      process = new KilledAfter(30_000, world.time);
      await world.run(process);
    }
    expect([...world.letters.values()].map(({ reasonCode }) => reasonCode)).toEqual(['poison']);
    expect(world.written.toSorted()).toEqual(['a', 'b']);
    expect(
      world.groups
        .filter((group) => group.includes('poison'))
        .slice(1)
        .every((group) => group.length === 1),
    ).toBe(true);
    // Whoever mended what killed it sends it again: its deaths are not held against it.
    Object.assign(world.stage, { handle });
    await world.add('poison').run();
    expect([world.written.toSorted(), world.letters.size]).toEqual([['a', 'b', 'poison'], 1]);
  });
});

/** A process that something outside kills after a while of simulated time. */
class KilledAfter extends SimulatedProcess {
  constructor(ms: number, time: SimulatedTime) {
    super();
    void time.sleep(ms).then(() => {
      this.dead = true;
      this.kill();
    });
  }
}

describe('a process that ends at any side effect', () => {
  const inputs = ['a', 'b', 'a', 'c', '', 'bad', 'd'];
  const failures = (group: readonly string[]): Error | undefined =>
    group.includes('bad') ? new PermanentError('bad', 'is bad') : undefined;

  async function endState(killAt: number, moment: Moment): Promise<{ state: unknown; died: boolean }> {
    const world = new World().add(...inputs);
    world.failures = failures;
    const process = new SimulatedProcess(killAt, moment);
    await world.run(process, { groupMessagesMax: 4 });
    await world.run(new SimulatedProcess(), { groupMessagesMax: 4 });
    const state = {
      written: [...new Set(world.written)].toSorted(),
      published: [...new Set(world.published)].toSorted(),
      letters: [...world.letters.keys()].toSorted(),
      unsettled: world.source.unsettled,
    };
    return { state, died: process.dead };
  }

  test.each(['before', 'within', 'after'] as const)(
    '%s it leaves the same end state after a restart',
    async (moment) => {
      const { state: expected } = await endState(0, moment);
      let deaths = 0;
      for (let killAt = 1; ; killAt++) {
        const { state, died } = await endState(killAt, moment);
        expect(state, `killed ${moment} side effect ${killAt}`).toEqual(expected);
        if (!died) {
          break;
        }
        deaths += 1;
      }
      expect(deaths).toBeGreaterThan(10);
    },
  );
});

test('a drain gives back what has not started, and finishes and settles what has', async () => {
  const world = new World().add(...Array.from({ length: 64 }, (_, index) => `m${index}`));
  const drain = new AbortController();
  const handle = world.stage.handle.bind(world.stage);
  Object.assign(world.stage, {
    handle: async (inputs: readonly string[]) => {
      drain.abort();
      await world.time.sleep(5_000);
      return handle(inputs, undefined);
    },
  });
  const { source, publisher, deduper, sink, deadLetters, time: clock } = world;
  const ports = { source, publisher, deduper, sink, deadLetters, clock, telemetry: silentTelemetry };
  await runStage(world.stage, ports, { limits: stageLimits, owner: 'one', signal: drain.signal });
  const handledOnce = world.written.length;
  expect(handledOnce).toBeGreaterThan(0);
  expect(world.source.unsettled).toBe(64 - handledOnce);
  Object.assign(world.stage, { handle });
  await world.run();
  expect(world.written.toSorted()).toEqual(Array.from({ length: 64 }, (_, index) => `m${index}`).toSorted());
});

describe('what the dead letters refuse for good', () => {
  const mendedAfterMs = 60_000;

  test.each([
    ['of its own', 'bad', 'echo/acme/bad'],
    ['that could not be decoded', '', undefined],
  ])('a message %s holds nobody up, is not lost, and is not asked for without a pause', async (_, payload, id) => {
    const world = new World().add('a', payload, 'b');
    world.failures = (inputs) => (inputs.includes('bad') ? new PermanentError('bad', 'bad') : undefined);
    const mendedAtMs = world.time.nowMs() + mendedAfterMs;
    world.refuses = () => world.time.nowMs() < mendedAtMs;
    const settledAtMs: number[] = [];
    void world.time.sleep(5_000).then(() => settledAtMs.push(world.source.unsettled));
    await world.run();
    expect(settledAtMs).toEqual([1]);
    expect(world.written.toSorted()).toEqual(['a', 'b']);
    expect([...world.letters.keys()]).toEqual([id ?? (expect.any(String) as unknown)]);
    // Ever later: seconds, then a minute.
    expect(world.refusals).toBeLessThan(12);
  });
});

describe('while what comes after it is behind', () => {
  test('a stage is held back, and one group goes on now and then all the same', async () => {
    const world = new World().add(...Array.from({ length: 100 }, (_, index) => `m${index}`));
    const startMs = world.time.nowMs();
    world.downstreamBehindUntilMs = startMs + 22_000;
    const written: number[] = [];
    for (const afterMs of [4_900, 12_400, 21_900]) {
      void world.time.sleep(afterMs).then(() => written.push(world.written.length));
    }
    await world.run(new SimulatedProcess(), { groupMessagesMax: 5, holdBackMsMax: 5_000 });
    expect(written).toEqual([0, 10, 20]);
    expect(world.written).toHaveLength(100);
    expect(world.time.nowMs() - startMs).toBeLessThan(40_000);
  });
});
