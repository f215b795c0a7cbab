import type { Runs } from '@meterflow/readings';
import { MalformedMessageError } from './malformed-message-error.ts';
import { block, type MessageFields, type MessageShape } from './message-fields.ts';
import type { WireWriter } from './wire-writer.ts';

const shape: MessageShape = [undefined, block('ends'), block('values')];

export function writeRuns(writer: WireWriter, field: number, runs: Runs): void {
  const { mark } = writer;
  writer.column(2, runs.values);
  writer.column(1, runs.ends);
  writer.message(field, mark);
}

export function readRuns(fields: MessageFields, number: number, lengthMax: number): Runs {
  const runs = fields.message(number, shape);
  return { ends: runs.uint32s(1, lengthMax), values: runs.uint32s(2, lengthMax) };
}

/** Checks that the runs rise, cover `count` readings, and that every value is below `valuesEnd`. */
export function checkRuns(runs: Runs, path: string, bounds: { count: number; valuesEnd: number }): void {
  const { ends, values } = runs;
  if (ends.length !== values.length) {
    throw new MalformedMessageError('message-mismatch', path, `${ends.length} ends, ${values.length} values`);
  }
  let last = 0;
  for (let run = 0; run < ends.length; run++) {
    const end = ends[run] as number;
    if (end <= last) {
      throw new MalformedMessageError('message-mismatch', `${path}.ends[${run}]`, `${end} does not follow ${last}`);
    }
    if ((values[run] as number) >= bounds.valuesEnd) {
      const problem = `${values[run] as number} is not below ${bounds.valuesEnd}`;
      throw new MalformedMessageError('message-value', `${path}.values[${run}]`, problem);
    }
    last = end;
  }
  if (last !== bounds.count) {
    throw new MalformedMessageError('message-mismatch', `${path}.ends`, `ends at ${last} of ${bounds.count} readings`);
  }
}
