import type { WriteStream } from 'node:tty';

export interface Progress {
  readonly done: number;
  readonly total: number;
  /** What is counted besides, with its name: `readings`. */
  readonly count: number;
  readonly noun: string;
}

const cellsWide = 28;
/** A narrower bar shows nothing: the line goes without it then. */
const cellsMin = 4;
const columnsDefault = 80;
const redrawMs = 100;

/** One line that is drawn over itself: share, rate, time left. Draws nothing where there is no terminal. */
export class ProgressBar {
  readonly #out: WriteStream;
  readonly #startedMs = performance.now();
  #drawnMs = 0;

  constructor(out: WriteStream) {
    this.#out = out;
  }

  update(progress: Progress): void {
    const nowMs = performance.now();
    if (!this.#out.isTTY || nowMs - this.#drawnMs < redrawMs) {
      return;
    }
    this.#drawnMs = nowMs;
    this.#out.write(`\r\u001b[2K${progressLine(progress, (nowMs - this.#startedMs) / 1000, this.#out.columns)}`);
  }

  /** Leaves an empty line behind. */
  clear(): void {
    if (this.#out.isTTY && this.#drawnMs > 0) {
      this.#out.write('\r\u001b[2K');
    }
  }
}

/** Never longer than `columns`: a line that wraps is not drawn over. The bar gives way first, then what comes last. */
export function progressLine(
  { done, total, count, noun }: Progress,
  seconds: number,
  columns = columnsDefault,
): string {
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const rate = seconds > 0 ? count / seconds : 0;
  const left = share > 0 ? (seconds / share) * (1 - share) : Number.POSITIVE_INFINITY;
  const eta = Number.isFinite(left) ? `${Math.ceil(left)} s left` : 'starting';
  const percent = `${String(Math.floor(share * 100)).padStart(3)} %`;
  const text = `${percent}  ${short(count)} ${noun}  ${short(rate)}/s  ${eta}`;
  // The last column stays free: some terminals wrap once it is written.
  const cells = Math.min(cellsWide, columns - 2 - text.length);
  if (cells < cellsMin) {
    return text.trimStart().slice(0, Math.max(0, columns - 1));
  }
  const filled = Math.round(share * cells);
  return `${'█'.repeat(filled)}${'░'.repeat(cells - filled)} ${text}`;
}

/** 1234567 is "1.23 M". */
export function short(value: number): string {
  if (value >= 1e6) {
    return `${(value / 1e6).toPrecision(3)} M`;
  }
  return value >= 1e4 ? `${(value / 1e3).toPrecision(3)} k` : String(Math.round(value));
}
