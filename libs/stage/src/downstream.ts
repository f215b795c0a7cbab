/** What comes after a stage, as far as that stage lets it hold it back. */
export interface Downstream {
  /**
   * Whether what this stage puts out already waits too long to be handled. Asked before each group and while it holds
   * back, so it answers from what was heard lately. Never rejects; false where nobody knows.
   */
  isBehind(): Promise<boolean>;
}
