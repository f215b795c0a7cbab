import type { RegisterExchange, RegisterFacts } from './register-difference.ts';

/** What the tags of a series say of its register: `dials`, `decimals`, and `exchanges` as {@link exchangesOf} reads them. */
export function registerFacts(
  tags: Readonly<Record<string, string | number | boolean | undefined>>,
  otherwise: { readonly dials: number; readonly decimals: number; readonly hourlyMax: number },
): RegisterFacts {
  const { dials = otherwise.dials, decimals = otherwise.decimals, exchanges = '' } = tags;
  return {
    dials: Number(dials),
    decimals: Number(decimals),
    hourlyMax: otherwise.hourlyMax,
    exchanges: exchanges === '' ? [] : exchangesOf(String(exchanges)),
  };
}

/** `2024-03-05T10:30:00Z 12345.6 0.3; …`: when, what the old device showed, what the new one did. Both may be left out. */
function exchangesOf(text: string): RegisterExchange[] {
  return text
    .split(';')
    .filter((each) => each.trim() !== '')
    .map((each) => {
      const [at = '', oldEnd = NaN, newStart = NaN] = each.trim().split(/\s+/);
      const atMs = Date.parse(at);
      if (Number.isNaN(atMs)) {
        throw new Error(`the tag exchanges begins with an instant, like 2024-03-05T10:30:00Z 12345.6 0.3, not ${at}`);
      }
      return { atMs, oldEnd: Number(oldEnd), newStart: Number(newStart) };
    })
    .sort((one, other) => one.atMs - other.atMs);
}
