/** Thrown when no answer came in time. The call may still be carried out. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

/**
 * What `work` comes to, or {@link TimeoutError} after `ms`. An answer that lay there unread while this process was busy
 * is in time: it is read before the judgement.
 */
export async function within<Result>(ms: number, work: Promise<Result>): Promise<Result> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    setImmediate(() => {
      late.reject(new TimeoutError(`no answer within ${ms} ms`));
    });
  }, ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
