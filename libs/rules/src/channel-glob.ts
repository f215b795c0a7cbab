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
