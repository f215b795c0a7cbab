import type { ReadingColumns } from '@meterflow/readings';
import { noInputs, type InputVersions } from './input-versions.ts';

/** The newest of each part of the versions that some readings have. */
export function newestInputs({ versions }: Pick<ReadingColumns, 'versions'>): InputVersions {
  return {
    declared: greatest(versions.declared),
    acceptedAtMs: greatest(versions.acceptedAtMs),
    activation: greatest(versions.activation),
  };
}

export function newerInputs(a: InputVersions, b: InputVersions): InputVersions {
  return a === noInputs
    ? b
    : {
        declared: Math.max(a.declared, b.declared),
        acceptedAtMs: Math.max(a.acceptedAtMs, b.acceptedAtMs),
        activation: Math.max(a.activation, b.activation),
      };
}

function greatest(values: Float64Array): number {
  let greatestYet = 0;
  for (const value of values) {
    greatestYet = value > greatestYet ? value : greatestYet;
  }
  return greatestYet;
}
