import { simpleBody } from './bench-flows.ts';

interface HostReading {
  value: number;
}

type HostRule = (reading: HostReading) => void;

/** The simple rule as code of this process: what no boundary at all would cost. */
function hostRule(): HostRule {
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- our own text, the same that the sandbox is given
  return new Function('reading', simpleBody) as HostRule;
}

/** What it gives for these values. */
export function hostValues(values: readonly number[]): readonly number[] {
  const rule = hostRule();
  return values.map((value) => {
    const reading = { value };
    rule(reading);
    return reading.value;
  });
}

/** CPU microseconds a reading: as a plain call on one object, and with each reading as JSON to the rule and back. */
export function hostCosts(values: readonly number[]): { readonly plainMicros: number; readonly jsonMicros: number } {
  const rule = hostRule();
  const reading: HostReading = { value: 0 };
  let sum = 0;
  const plainMicros = cpuMicros(2_000, values, (value) => {
    reading.value = value;
    rule(reading);
    sum += reading.value;
  });
  const jsonMicros = cpuMicros(50, values, (value) => {
    const told = {
      meter: 'meter',
      channel: 'import',
      startMs: 1_704_067_200_000,
      value,
      unit: 'kWh',
      quality: 'measured',
    };
    const parsed = JSON.parse(JSON.stringify(told)) as HostReading;
    rule(parsed);
    sum += (JSON.parse(JSON.stringify(parsed)) as HostReading).value;
  });
  if (!Number.isFinite(sum)) {
    throw new RangeError('the rule gave no numbers');
  }
  return { plainMicros, jsonMicros };
}

function cpuMicros(rounds: number, values: readonly number[], each: (value: number) => void): number {
  const since = process.cpuUsage();
  for (let round = 0; round < rounds; round++) {
    values.forEach(each);
  }
  const { user, system } = process.cpuUsage(since);
  return (user + system) / rounds / values.length;
}
