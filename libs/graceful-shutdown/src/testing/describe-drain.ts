import { describe, expect, test } from 'vitest';

/** A service as a real process, as the suite sees it. */
export interface DrainableService {
  readonly pid: number;
  /** Resolves when it says that it is ready. */
  readonly ready: Promise<void>;
  /** Resolves with its exit code, or the signal that killed it. */
  readonly exited: Promise<number | string>;
  /** Settles its work in hand, so that a drain can end; undefined for a service that has none. */
  finishWork?(): void;
}

export interface DrainSuiteOptions {
  /** Starts the service; `stuck` gives it work that never ends. */
  start(work: 'short' | 'stuck'): DrainableService;
  /** The drain's deadline that it runs with. */
  readonly drainMs: number;
}

/** What every service does when it is told to stop, checked on a real process. */
export function describeDrain(name: string, options: DrainSuiteOptions): void {
  describe(`${name} drains`, () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      test(`${signal} settles what is in hand and exits with 0`, async () => {
        const service = options.start('short');
        await service.ready;
        process.kill(service.pid, signal);
        service.finishWork?.();
        expect(await service.exited).toBe(0);
      });
    }

    test('a drain past its deadline ends the process all the same, with a code of its own', async () => {
      const service = options.start('stuck');
      await service.ready;
      process.kill(service.pid, 'SIGTERM');
      expect(await service.exited).toBe(124);
    });
  });
}
