/**
 * Versions in columns: row `i` of every column is one version. A batch or a segment holds each run of equal versions
 * once, and readings point to it.
 *
 * A raw version is (declared, acceptedAtMs): the provider's own revision or creation time, or, where it declares none
 * (0), the time we accepted it. A validated version is (the raw version of the same identity, activation, ticket,
 * computed): 0 where there is none; `computed` is 0 for what a flow's policy put in place of a failed result.
 */
export interface Versions {
  readonly declared: Float64Array;
  readonly acceptedAtMs: Float64Array;
  readonly activation: Float64Array;
  readonly ticket: Float64Array;
  readonly computed: Uint8Array;
}

export interface Version {
  readonly declared: number;
  readonly acceptedAtMs: number;
  readonly activation: number;
  readonly ticket: number;
  readonly computed: boolean;
}

/** Orders two versions: negative when `a[i]` is older than `b[j]`, 0 when they are the same version. */
export function compareVersions(a: Versions, i: number, b: Versions, j: number): number {
  return (
    (a.declared[i] as number) - (b.declared[j] as number) ||
    (a.acceptedAtMs[i] as number) - (b.acceptedAtMs[j] as number) ||
    (a.activation[i] as number) - (b.activation[j] as number) ||
    (a.ticket[i] as number) - (b.ticket[j] as number) ||
    (a.computed[i] as number) - (b.computed[j] as number)
  );
}

export function versionAt(versions: Versions, index: number): Version {
  return {
    declared: versions.declared[index] as number,
    acceptedAtMs: versions.acceptedAtMs[index] as number,
    activation: versions.activation[index] as number,
    ticket: versions.ticket[index] as number,
    computed: versions.computed[index] === 1,
  };
}

export function versionsOf(rows: readonly Version[]): Versions {
  const { length } = rows;
  const declared = new Float64Array(length);
  const acceptedAtMs = new Float64Array(length);
  const activation = new Float64Array(length);
  const ticket = new Float64Array(length);
  const computed = new Uint8Array(length);
  rows.forEach((row, index) => {
    declared[index] = row.declared;
    acceptedAtMs[index] = row.acceptedAtMs;
    activation[index] = row.activation;
    ticket[index] = row.ticket;
    computed[index] = row.computed ? 1 : 0;
  });
  return { declared, acceptedAtMs, activation, ticket, computed };
}

/** The raw version of a reading: an undeclared one is ordered by acceptance, below every declared one. */
export function rawVersion(declared: number, acceptedAtMs: number): Version {
  return { declared, acceptedAtMs: declared === 0 ? acceptedAtMs : 0, activation: 0, ticket: 0, computed: true };
}
