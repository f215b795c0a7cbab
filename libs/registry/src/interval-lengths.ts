import { digestOf, fromLength, type RegisteredLength } from './length-page.ts';
import { noLengthPages, type LengthPages } from './length-pages.ts';
import { seriesPath } from './series-path.ts';

const versionHexChars = 16;

/** The registered interval lengths of a tenant's series at one moment. */
export class IntervalLengths {
  readonly fallback: RegisteredLength | undefined;
  /** Of the series that the fallback is wrong for. */
  readonly own: LengthPages;
  #version: string | undefined;

  constructor(fallback: RegisteredLength | undefined, own: LengthPages) {
    this.fallback = fallback;
    this.own = own;
  }

  /** Names this content: whatever has the same version is the same. Empty where none is registered. */
  get version(): string {
    this.#version ??=
      this.fallback === undefined && this.own.count === 0 ? '' : digestOf([this.#text()]).slice(0, versionHexChars);
    return this.#version;
  }

  /** Undefined where none is registered. */
  of(meter: string, channel: string): RegisteredLength | undefined {
    return this.own.count === 0 ? this.fallback : (this.own.of(seriesPath(meter, channel)) ?? this.fallback);
  }

  #text(): string {
    const fallback = this.fallback === undefined ? null : fromLength(this.fallback);
    return JSON.stringify([fallback, this.own.pages.map(({ digest }) => digest)]);
  }
}

export const noIntervalLengths = new IntervalLengths(undefined, noLengthPages);
