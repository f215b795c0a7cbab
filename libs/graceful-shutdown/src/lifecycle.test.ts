import { describe, expect, test } from 'vitest';
import { Lifecycle } from './lifecycle.ts';
import { ManualTimers } from './testing/index.ts';

function setUp() {
  const timers = new ManualTimers();
  const lines: string[] = [];
  const note = (message: string, fields?: object): void => {
    lines.push(`${message} ${JSON.stringify(fields ?? {})}`);
  };
  const lifecycle = new Lifecycle({ timers, log: { info: note, error: note } });
  return { lifecycle, timers, lines };
}

const drain = { deadlineMs: 1_000, reason: 'test' };

describe('a lifecycle', () => {
  test('is ready only between its start and the first moment of its drain', async () => {
    const { lifecycle } = setUp();
    expect([lifecycle.state, lifecycle.ready]).toEqual(['starting', false]);
    lifecycle.started();
    expect([lifecycle.state, lifecycle.ready]).toEqual(['running', true]);

    const seen: unknown[] = [];
    lifecycle.signal.addEventListener('abort', () => seen.push(['aborted', lifecycle.ready]));
    lifecycle.register('store', () => void seen.push(['closing', lifecycle.ready]));
    const ended = lifecycle.drain(drain);
    expect([lifecycle.state, lifecycle.ready]).toEqual(['draining', false]);
    expect(await ended).toBe('stopped');
    expect(seen).toEqual([
      ['aborted', false],
      ['closing', false],
    ]);
    expect([lifecycle.state, lifecycle.ready]).toEqual(['stopped', false]);
  });

  test('closes in reverse order, one after the other', async () => {
    const { lifecycle } = setUp();
    const order: string[] = [];
    for (const name of ['store', 'bus', 'stage']) {
      lifecycle.register(name, async () => {
        order.push(`closing ${name}`);
        await Promise.resolve();
        order.push(`closed ${name}`);
      });
    }
    await lifecycle.drain(drain);
    expect(order).toEqual(['stage', 'bus', 'store'].flatMap((name) => [`closing ${name}`, `closed ${name}`]));
  });

  test('closes what a start registers while it is drained already, and does not become ready', async () => {
    const { lifecycle } = setUp();
    const closed: string[] = [];
    lifecycle.register('store', async () => {
      lifecycle.register('late', () => void closed.push('late'));
      await Promise.resolve();
      closed.push('store');
    });
    const ended = lifecycle.drain(drain);
    lifecycle.started();
    expect(lifecycle.ready).toBe(false);
    expect(await ended).toBe('stopped');
    expect(closed).toEqual(['store', 'late']);
    lifecycle.register('after the end', () => void closed.push('after the end'));
    await Promise.resolve();
    expect(closed).toContain('after the end');
  });

  test('goes on closing after one close failed, and ends as failed', async () => {
    const { lifecycle, lines } = setUp();
    const closed: string[] = [];
    lifecycle.register('store', () => void closed.push('store'));
    lifecycle.register('bus', () => Promise.reject(new Error('no')));
    lifecycle.register('stage', () => {
      throw new Error('no');
    });
    expect(await lifecycle.drain(drain)).toBe('failed');
    expect(closed).toEqual(['store']);
    expect(lines.filter((line) => line.startsWith('could not close'))).toHaveLength(2);
  });

  test('ends at the deadline and says what is still open', async () => {
    const { lifecycle, timers, lines } = setUp();
    lifecycle.register('store', () => undefined);
    lifecycle.register('stage', () => new Promise<void>(() => undefined));
    const ended = lifecycle.drain(drain);
    await Promise.resolve();
    timers.pass(999);
    expect(lifecycle.state).toBe('draining');
    timers.pass(1);
    expect(await ended).toBe('deadline-passed');
    expect(lifecycle.state).toBe('failed');
    expect(lines.join('\n')).toContain('{"closing":"stage","open":["store"]}');
  });

  test('a later request brings the deadline forward, never back', async () => {
    const { lifecycle, timers } = setUp();
    lifecycle.register('stage', () => new Promise<void>(() => undefined));
    void lifecycle.drain({ deadlineMs: 1_000, reason: 'first' });
    void lifecycle.drain({ deadlineMs: 5_000, reason: 'later' });
    const ended = lifecycle.drain({ deadlineMs: 100, reason: 'sooner' });
    timers.pass(100);
    expect(await ended).toBe('deadline-passed');
  });

  test('a failure drains too and ends as failed', async () => {
    const { lifecycle } = setUp();
    const closed: string[] = [];
    lifecycle.register('store', () => void closed.push('store'));
    lifecycle.started();
    const ended = lifecycle.fail(new Error('the directory is gone'), 1_000);
    expect(lifecycle.signal.aborted).toBe(true);
    expect(await ended).toBe('failed');
    expect(closed).toEqual(['store']);
  });
});
