/** Thrown when what a process was told does not fit; the message names every problem. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}
