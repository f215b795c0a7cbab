/** What a reading says beside its value and version. Texts are indexes that {@link LabelTable.text} gave out. */
export interface Label {
  quality: number;
  unit: number;
  code: number;
  method: number;
  reason: number;
}

/** A label that no reading has: marks an empty slot. */
export const noLabel = 0;

/**
 * Gives each combination of quality, unit, code, method and reason one number, so that merging compares numbers. Most
 * days have one label.
 */
export class LabelTable {
  readonly texts: string[] = [''];
  readonly #textIndex = new Map<string, number>([['', 0]]);
  readonly #labels: Label[] = [{ quality: 0, unit: 0, code: 0, method: 0, reason: 0 }];
  readonly #labelIndex = new Map<string, number>();
  #last = 0;

  get size(): number {
    return this.#labels.length + this.texts.length;
  }

  text(text: string): number {
    let index = this.#textIndex.get(text);
    if (index === undefined) {
      index = this.texts.push(text) - 1;
      this.#textIndex.set(text, index);
    }
    return index;
  }

  /** The number of a label, from 1. The object may be used again by the caller. */
  intern(label: Label): number {
    if (this.#last !== 0 && sameLabel(this.at(this.#last), label)) {
      return this.#last;
    }
    const name = `${label.quality} ${label.unit} ${label.code} ${label.method} ${label.reason}`;
    let index = this.#labelIndex.get(name);
    if (index === undefined) {
      index = this.#labels.push({ ...label }) - 1;
      this.#labelIndex.set(name, index);
    }
    this.#last = index;
    return index;
  }

  at(label: number): Label {
    return this.#labels[label] as Label;
  }

  quality(label: number): number {
    return this.at(label).quality;
  }

  /**
   * Orders the texts of two labels. The one order of readings leaves texts open; without this, which of two readings
   * that differ in a text alone stays would depend on which came first.
   */
  compareTexts(a: number, b: number): number {
    const left = this.at(a);
    const right = this.at(b);
    return (
      this.#compare(left.unit, right.unit) ||
      this.#compare(left.code, right.code) ||
      this.#compare(left.method, right.method) ||
      this.#compare(left.reason, right.reason)
    );
  }

  #compare(a: number, b: number): number {
    if (a === b) {
      return 0;
    }
    return (this.texts[a] as string) < (this.texts[b] as string) ? -1 : 1;
  }
}

function sameLabel(a: Label, b: Label): boolean {
  return (
    a.quality === b.quality && a.unit === b.unit && a.code === b.code && a.method === b.method && a.reason === b.reason
  );
}
