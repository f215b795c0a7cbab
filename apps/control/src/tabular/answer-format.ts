import { Problem } from '@meterflow/http';

/** How an answer may be written, by what its content type is. The first is the one that nobody has to ask for. */
export const answerFormats = {
  json: 'application/json',
  csv: 'text/csv',
  parquet: 'application/vnd.apache.parquet',
  arrow: 'application/vnd.apache.arrow.stream',
} as const;
export type AnswerFormat = keyof typeof answerFormats;
export const formatNames = Object.keys(answerFormats) as [AnswerFormat, ...AnswerFormat[]];
/** For the API's document. */
export const tableMediaTypes = formatNames.filter((name) => name !== 'json').map((name) => answerFormats[name]);

const acceptCharsMax = 1_000;

/** What was asked for by name, else the most welcome of what the Accept header names; throws Problem `not-acceptable`. */
export function answerFormat(asked: AnswerFormat | undefined, accept: string | undefined): AnswerFormat {
  if (asked !== undefined) {
    return asked;
  }
  if (accept === undefined || accept.trim() === '') {
    return 'json';
  }
  const welcome = accept.slice(0, acceptCharsMax).split(',').flatMap(rangeOf);
  const weighed = formatNames.map((name) => ({ name, weight: weightOf(answerFormats[name], welcome) }));
  const best = weighed.reduce((first, each) => (each.weight > first.weight ? each : first));
  if (best.weight === 0) {
    throw new Problem('not-acceptable', `none of "${accept.slice(0, 100)}" can be had here`);
  }
  return best.name;
}

interface MediaRange {
  readonly type: string;
  readonly weight: number;
}

function rangeOf(text: string): MediaRange[] {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const weight = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1);
  return type === '' || !(weight >= 0 && weight <= 1) ? [] : [{ type, weight }];
}

/** By the most exact range that takes the type. */
function weightOf(type: string, ranges: readonly MediaRange[]): number {
  const forms = [type, `${type.split('/', 1)[0] ?? ''}/*`, '*/*'];
  for (const form of forms) {
    const found = ranges.find((range) => range.type === form);
    if (found !== undefined) {
      return found.weight;
    }
  }
  return 0;
}
