import type { EndState, SourceState } from './end-state.ts';
import type { RunResult } from './run-schedule.ts';

/** What is wrong with a run. */
export interface Differences {
  /** Readings, aggregates, dead letters or sources that are not there, or never come to their end. */
  readonly lost: readonly string[];
  /** What is there that nobody sent, counted twice, or handled more often than it had to be. */
  readonly doubled: readonly string[];
  /** What is there and says something else. */
  readonly wrong: readonly string[];
}

/** Holds a run against the end state of the undisturbed one. */
export function differences({ end, breaches, untold, isStuck }: RunResult, undisturbed: EndState): Differences {
  const found = { lost: [] as string[], doubled: [] as string[], wrong: [] as string[] };
  compareLines(end.lines, undisturbed.lines, found);
  compareLetters(end.deadLetters, undisturbed.deadLetters, found);
  compareSources(end.sources, undisturbed.sources, found);
  found.lost.push(...end.backlog.map((waiting) => `never settled: ${waiting}`), ...untold);
  if (isStuck) {
    found.lost.push('the run did not come to its end');
  }
  found.doubled.push(...breaches);
  return found;
}

/** How many things are wrong. */
export function countOf({ lost, doubled, wrong }: Differences): number {
  return lost.length + doubled.length + wrong.length;
}

type Found = Record<keyof Differences, string[]>;

function compareLines(lines: EndState['lines'], expected: EndState['lines'], found: Found): void {
  for (const [of, line] of expected) {
    const here = lines.get(of);
    if (here === undefined) {
      found.lost.push(`missing: ${line}`);
    } else if (here !== line) {
      found.wrong.push(`${here} instead of ${line}`);
    }
  }
  for (const [of, line] of lines) {
    if (!expected.has(of)) {
      found.doubled.push(`too much: ${line}`);
    }
  }
}

function compareLetters(letters: readonly string[], expected: readonly string[], found: Found): void {
  const left = [...letters];
  for (const letter of expected) {
    const index = left.indexOf(letter);
    if (index < 0) {
      found.lost.push(`missing dead letter: ${letter}`);
    } else {
      left.splice(index, 1);
    }
  }
  found.doubled.push(...left.map((letter) => `dead letter too much: ${letter}`));
}

function compareSources(sources: EndState['sources'], expected: EndState['sources'], found: Found): void {
  for (const [name, source] of sources) {
    const other = expected.get(name);
    if (other === undefined) {
      found.doubled.push(`source too much: ${name}`);
    } else {
      compareSource(name, { source, other }, found);
    }
  }
  found.lost.push(
    ...[...expected.keys()].filter((name) => !sources.has(name)).map((name) => `missing source: ${name}`),
  );
}

const compared = ['received', 'accepted', 'rejected', 'batches', 'batchesDead', 'batchesParked'] as const;

function compareSource(name: string, { source, other }: Record<'source' | 'other', SourceState>, found: Found): void {
  if (source.state !== other.state) {
    found.lost.push(`source ${name} is ${source.state}, not ${other.state}`);
  }
  for (const field of compared.filter((each) => source[each] !== other[each])) {
    found.wrong.push(`source ${name}: ${field} is ${source[field]}, not ${other[field]}`);
  }
  if (source.outcomes !== other.outcomes) {
    const where = source.outcomes < other.outcomes ? found.lost : found.doubled;
    where.push(`source ${name}: ${source.outcomes} outcomes, not ${other.outcomes}`);
  }
}
