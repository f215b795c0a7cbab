/** Thrown when a run could not be had now and may be had later: children do not start, too many runs wait, or it closes. */
export class SandboxUnavailableError extends Error {
  override readonly name = 'SandboxUnavailableError';
}
