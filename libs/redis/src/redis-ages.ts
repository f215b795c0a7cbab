import type { RedisLink } from './redis-link.ts';
import { script } from './script.ts';

/**
 * For how long the oldest message that any process has in hand stays told. Several tell of one subscription: what stands
 * is the oldest that one of them told within this time.
 */
const toldMs = 5_000;

/** publishedAtMs, toldMs */
const tellScript = script(`
local told = tonumber(redis.call('GET', KEYS[1]))
if not told or told >= tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
return {}`);

/** → publishedAtMs, or 0 where nobody told. */
const askScript = script(`return { tonumber(redis.call('GET', KEYS[1]) or '0') }`);

/** When the oldest message that a subscription's processes have in hand was published, as they tell each other. */
export class RedisAges {
  readonly #link: RedisLink;

  constructor(link: RedisLink) {
    this.#link = link;
  }

  /** Rejects where Redis does not take it; nobody needs to care. */
  async tell(subscription: string, oldestPublishedAtMs: number): Promise<void> {
    const { tag, key } = this.#place(subscription);
    await this.#link.run(tag, tellScript, { keys: [key], args: [Math.floor(oldestPublishedAtMs), toldMs] });
  }

  /** Undefined where nobody told of late. Rejects where Redis does not answer. */
  async oldestPublishedAtMs(subscription: string): Promise<number | undefined> {
    const { tag, key } = this.#place(subscription);
    const [publishedAtMs = 0] = await this.#link.run(tag, askScript, { keys: [key], args: [] });
    return publishedAtMs === 0 ? undefined : publishedAtMs;
  }

  #place(subscription: string): { readonly tag: string; readonly key: string } {
    const tag = `age.${subscription}`;
    return { tag: this.#link.isCluster ? tag : '', key: `mf1:{${tag}}` };
  }
}
