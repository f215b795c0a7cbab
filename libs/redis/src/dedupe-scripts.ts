import { script } from './script.ts';

/**
 * What is stored of a key is one string that expires:
 *   d                        done, for as long as it is there
 *   c<handling>:<deaths>:<owner>   claimed; without an owner: given back, its deaths remembered
 * A lease is part of the expiry: a claim is kept for `keptMs` after its lease ends, so it is leased while more than
 * `keptMs` are left of it. So the clocks of processes do not matter, nor does anything have to be swept.
 *
 * Each script takes a whole group of keys and answers in their order.
 */
const parts = `
local function claimOf(value)
  if not value or value == 'd' then return nil end
  local handling, deaths, owner = string.match(value, '^c(%d):(%d+):(.*)$')
  return handling and { handling = tonumber(handling), deaths = tonumber(deaths), owner = owner }
end
local function textOf(handling, deaths, owner)
  return 'c' .. handling .. ':' .. deaths .. ':' .. owner
end
local function leaseLeft(key, claim, owner, keptMs)
  if not claim or claim.owner == '' or claim.owner == owner then return 0 end
  return math.max(0, redis.call('PTTL', key) - keptMs)
end
`;

/** What {@link claimScript} answers for each key, a number of its own behind it: 0, the lease left, the deaths. */
export const claimAnswers = { done: 0, held: 1, claimed: 2, ownerDied: 3 } as const;

/** owner, leaseMs, keptMs, whether deaths count ('1' or '0') → for each key an answer and its number. */
export const claimScript = script(`${parts}
local owner, leaseMs, keptMs, deathsCount = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1'
local answers = {}
local function answer(kind, number)
  answers[#answers + 1] = kind
  answers[#answers + 1] = number
end
for _, key in ipairs(KEYS) do
  local value = redis.call('GET', key)
  local last = claimOf(value)
  local left = leaseLeft(key, last, owner, keptMs)
  if value == 'd' then
    answer(${claimAnswers.done}, 0)
  elseif left > 0 then
    answer(${claimAnswers.held}, left)
  else
    local handling, deaths, died = 0, 0, false
    if last then
      deaths = last.deaths
      if last.owner == owner then
        handling = last.handling
      elseif last.owner ~= '' then
        died = true
        if deathsCount then deaths = deaths + last.handling end
      end
    end
    redis.call('SET', key, textOf(handling, deaths, owner), 'PX', leaseMs + keptMs)
    answer(died and ${claimAnswers.ownerDied} or ${claimAnswers.claimed}, deaths)
  end
end
return answers`);

/** owner, leaseMs, keptMs → for each key 1 where the lease was the owner's still, else 0. */
export const renewScript = script(`${parts}
local renewed = {}
for i, key in ipairs(KEYS) do
  local claim = claimOf(redis.call('GET', key))
  renewed[i] = 0
  if claim and claim.owner == ARGV[1] then
    renewed[i] = redis.call('PEXPIRE', key, ARGV[2] + ARGV[3])
  end
end
return renewed`);

/** owner, handling ('1' or '0'). */
export const markHandlingScript = script(`${parts}
for _, key in ipairs(KEYS) do
  local claim = claimOf(redis.call('GET', key))
  if claim and claim.owner == ARGV[1] then
    redis.call('SET', key, textOf(ARGV[2], claim.deaths, claim.owner), 'KEEPTTL')
  end
end`);

/** owner, doneTtlMs, keptMs → for each key 1, or 0 where another owner has a lease on it. */
export const doneScript = script(`${parts}
local marked = {}
for i, key in ipairs(KEYS) do
  marked[i] = 0
  if leaseLeft(key, claimOf(redis.call('GET', key)), ARGV[1], ARGV[3]) == 0 then
    redis.call('SET', key, 'd', 'PX', ARGV[2])
    marked[i] = 1
  end
end
return marked`);

/** owner, keptMs: how long deaths are remembered of what nobody claims; '0' forgets them. */
export const releaseScript = script(`${parts}
for _, key in ipairs(KEYS) do
  local claim = claimOf(redis.call('GET', key))
  if claim and claim.owner == ARGV[1] then
    if claim.deaths == 0 or ARGV[2] == '0' then
      redis.call('DEL', key)
    else
      redis.call('SET', key, textOf(0, claim.deaths, ''), 'PX', ARGV[2])
    end
  end
end`);
