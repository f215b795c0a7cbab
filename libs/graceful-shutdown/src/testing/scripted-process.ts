import type { ProcessPort, ProcessSignal } from '../stop-with-process.ts';

/** A process that gets the signals a test sends it, and notes its exits instead of exiting. */
export class ScriptedProcess implements ProcessPort {
  hasParent: boolean;
  readonly exits: number[] = [];
  readonly #signals = new Map<ProcessSignal, Set<() => void>>();
  readonly #parentGone = new Set<() => void>();

  constructor(options: { readonly hasParent: boolean } = { hasParent: false }) {
    this.hasParent = options.hasParent;
  }

  onSignal(signal: ProcessSignal, call: () => void): () => void {
    const calls = this.#signals.get(signal) ?? new Set();
    this.#signals.set(signal, calls.add(call));
    return () => calls.delete(call);
  }

  onParentGone(call: () => void): () => void {
    this.#parentGone.add(call);
    return () => this.#parentGone.delete(call);
  }

  exit(code: number): void {
    this.exits.push(code);
  }

  send(signal: ProcessSignal): void {
    this.#signals.get(signal)?.forEach((call) => {
      call();
    });
  }

  loseParent(): void {
    this.hasParent = false;
    this.#parentGone.forEach((call) => {
      call();
    });
  }
}
