/** The newest versions among what an aggregate was made from; see `Sheets` in aggregate-batch.ts. */
export interface InputVersions {
  readonly declared: number;
  readonly acceptedAtMs: number;
  readonly activation: number;
}

export const noInputs: InputVersions = { declared: 0, acceptedAtMs: 0, activation: 0 };
