import { utcText } from '@meterflow/readings';

const dayMs = 86_400_000;
const timesMax = 100_000;

/** `utcText` for many instants of few days: a date is written once, and so is each time of day. */
export class InstantTexts {
  readonly #times = new Map<number, string>();
  #day = Number.NaN;
  #date = '';

  text(instantMs: number): string {
    const day = Math.floor(instantMs / dayMs);
    if (day !== this.#day) {
      this.#day = day;
      this.#date = utcText(day * dayMs).slice(0, -'00:00:00Z'.length);
    }
    const ofDayMs = instantMs - day * dayMs;
    return this.#date + (this.#times.get(ofDayMs) ?? this.#write(ofDayMs));
  }

  #write(ofDayMs: number): string {
    const text = utcText(ofDayMs).slice('1970-01-01T'.length);
    if (this.#times.size >= timesMax) {
      this.#times.clear();
    }
    this.#times.set(ofDayMs, text);
    return text;
  }
}
