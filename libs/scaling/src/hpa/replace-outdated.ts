/**
 * Keeps what the controller keeps: what is new takes the place of the last one that is too old, else it is appended. So
 * at most one is forgotten at a time, and one that is too old for its own list may still count elsewhere.
 */
export function replaceOutdated<Kept>(list: Kept[], added: Kept, isOutdated: (kept: Kept) => boolean): void {
  const place = list.findLastIndex(isOutdated);
  list.splice(place < 0 ? list.length : place, 1, added);
}
