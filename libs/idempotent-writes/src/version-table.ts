import { compareVersions, type Versions } from '@meterflow/readings';

/** Versions of all batches and days in work, one row each, so that merging compares row numbers first. */
export class VersionTable implements Versions {
  declared = new Float64Array(64);
  acceptedAtMs = new Float64Array(64);
  activation = new Float64Array(64);
  ticket = new Float64Array(64);
  computed = new Uint8Array(64);
  length = 0;

  /** The row of a version. Only the last row is looked at for an equal one. */
  append(versions: Versions, index: number): number {
    const last = this.length - 1;
    if (last >= 0 && compareVersions(versions, index, this, last) === 0) {
      return last;
    }
    if (this.length === this.declared.length) {
      this.#grow();
    }
    const row = this.length++;
    this.declared[row] = versions.declared[index] as number;
    this.acceptedAtMs[row] = versions.acceptedAtMs[index] as number;
    this.activation[row] = versions.activation[index] as number;
    this.ticket[row] = versions.ticket[index] as number;
    this.computed[row] = versions.computed[index] as number;
    return row;
  }

  compare(a: number, b: number): number {
    return a === b ? 0 : compareVersions(this, a, this, b);
  }

  /** True where each run's version is later than the one before it: no version comes twice then. */
  ascend(runs: { readonly values: Uint32Array; readonly length: number }): boolean {
    for (let run = 1; run < runs.length; run++) {
      if (compareVersions(this, runs.values[run] as number, this, runs.values[run - 1] as number) <= 0) {
        return false;
      }
    }
    return true;
  }

  /** Equal versions have equal hashes. Below 2^33, so that adding 1 always gives another number. */
  hash(row: number): number {
    const sum =
      (this.declared[row] as number) +
      (this.acceptedAtMs[row] as number) * 2 +
      (this.activation[row] as number) * 0x1_0001 +
      (this.ticket[row] as number) * 0x101 +
      (this.computed[row] as number);
    return sum % 2 ** 32;
  }

  #grow(): void {
    const length = this.declared.length * 2;
    const longer = (column: Float64Array): Float64Array<ArrayBuffer> => {
      const copy = new Float64Array(length);
      copy.set(column);
      return copy;
    };
    this.declared = longer(this.declared);
    this.acceptedAtMs = longer(this.acceptedAtMs);
    this.activation = longer(this.activation);
    this.ticket = longer(this.ticket);
    const computed = new Uint8Array(length);
    computed.set(this.computed);
    this.computed = computed;
  }
}
