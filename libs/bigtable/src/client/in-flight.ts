/** Does work for each, at most so many at the same time; results in order. After a failure nothing new is begun. */
export async function inFlight<One, Result>(
  each: readonly One[],
  max: number,
  work: (one: One, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(each.length);
  let next = 0;
  let failed = false;
  const lane = async (): Promise<void> => {
    while (next < each.length && !failed) {
      const index = next++;
      try {
        results[index] = await work(each[index] as One, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(max, each.length) }, lane));
  return results;
}
