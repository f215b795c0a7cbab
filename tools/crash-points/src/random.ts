/** Numbers in [0, 1) that a seed fixes (mulberry32). */
export type Random = () => number;

export function seededRandom(...seeds: readonly (number | string)[]): Random {
  let state = seeds.reduce<number>((mixed, seed) => mix(mixed, seed), 0x9e3779b9);
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from `least` to `most`. */
export function wholeNumber(random: Random, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

export function pick<Choice>(random: Random, choices: readonly Choice[]): Choice {
  return choices[Math.floor(random() * choices.length)] as Choice;
}

/** FNV-1a over what the seed is written as. */
function mix(state: number, seed: number | string): number {
  let mixed = state;
  for (const character of `${seed}/`) {
    mixed = Math.imul(mixed ^ character.charCodeAt(0), 0x01000193) >>> 0;
  }
  return mixed;
}
