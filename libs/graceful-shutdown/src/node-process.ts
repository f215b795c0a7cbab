import type { Timers } from './lifecycle.ts';
import type { ProcessPort } from './stop-with-process.ts';

/** The process this runs in. */
export function nodeProcess(): ProcessPort {
  return {
    get hasParent() {
      return process.connected;
    },
    onSignal(signal, call) {
      process.on(signal, call);
      return () => process.off(signal, call);
    },
    onParentGone(call) {
      process.on('disconnect', call);
      return () => process.off('disconnect', call);
    },
    exit(code) {
      process.exit(code);
    },
  };
}

export function nodeTimers(): Timers {
  return {
    nowMs: () => performance.now(),
    after(ms, call) {
      const timer = setTimeout(call, ms);
      return () => {
        clearTimeout(timer);
      };
    },
  };
}
