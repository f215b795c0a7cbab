/** Whether a glob of channels has this one: `*` stands for any characters. */
export function matchesChannel(pattern: string, channel: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) {
    return pattern === channel;
  }
  if (!channel.startsWith(first) || channel.length < first.length + last.length || !channel.endsWith(last)) {
    return false;
  }
  let from = first.length;
  const to = channel.length - last.length;
  return rest.every((part) => {
    const found = channel.indexOf(part, from);
    from = found + part.length;
    return found >= 0 && from <= to;
  });
}

/** Whether any channel fits both globs. */
export function channelsMeet(a: string, b: string): boolean {
  // Whether what is left of both, from each pair of places on, meets: from their ends to their beginnings.
  const meets = Array.from({ length: a.length + 1 }, () => Array<boolean>(b.length + 1).fill(false));
  const at = (i: number, j: number): boolean => meets[i]?.[j] === true;
  for (let i = a.length; i >= 0; i--) {
    for (let j = b.length; j >= 0; j--) {
      const isEnd = i === a.length && j === b.length;
      const hasStar = a[i] === '*' || b[j] === '*';
      const rest = hasStar ? at(i + 1, j) || at(i, j + 1) : a[i] === b[j] && at(i + 1, j + 1);
      (meets[i] as boolean[])[j] = isEnd || rest;
    }
  }
  return at(0, 0);
}
