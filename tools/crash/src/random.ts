/** Numbers in [0, 1) that a seed fixes, so that a run can be repeated (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function pick<Choice>(choices: readonly Choice[], random: () => number): Choice {
  return choices[Math.floor(random() * choices.length)] as Choice;
}

export function shuffled<Choice>(choices: readonly Choice[], random: () => number): Choice[] {
  return choices
    .map((choice) => ({ choice, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ choice }) => choice);
}
