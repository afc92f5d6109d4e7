-- The ledger of all replicas. Each call is one step: what it finds expired is given back first.
--
-- KEYS: what all names begin with, then the counters (hashes of `used` and `held`; of what was used when the `era` began
--       there is a `base`). All have one hash tag, so that those that are not declared are in the same place.
-- ARGV: the operation, the time in milliseconds, a name for the era if one begins; the number and the name of the era
--       that the caller has last heard of, and how many calls it had seen by then; then the operation's own.
--
-- Every answer is one text: the era's number and name, and its calls; then `used`, `held` and whether the claim was
-- refused (1 or 0) for each counter.
local PREFIX = KEYS[1]
-- When open reservations expire (a sorted set), what they hold (a hash), those that have expired (a sorted set), the era
-- (a hash), and marks of what was done.
local DUE, OPEN, LAPSED, ERA, MARK = PREFIX .. 'due', PREFIX .. 'open', PREFIX .. 'lapsed', PREFIX .. 'era', PREFIX .. 'mark:'
local FIRST, OWN = 2, 7
local DAY = 86400000
local now = tonumber(ARGV[2])

local function claims_of(id)
  local packed = redis.call('HGET', OPEN, id)
  return packed and cmsgpack.unpack(packed)
end

local function level(key)
  local found = redis.call('HMGET', key, 'used', 'held')
  return tonumber(found[1]) or 0, tonumber(found[2]) or 0
end

local function give_back(id)
  local claims = claims_of(id)
  if not claims then return false end
  for i = 1, #claims, 2 do
    -- A counter whose window is long past may be gone: it shall not come back without an end.
    if redis.call('EXISTS', claims[i]) == 1 then
      -- Not the negative: Redis takes minus zero for no number.
      local held = redis.call('HINCRBY', claims[i], 'held', 0 - claims[i + 1])
      if held == 0 and (tonumber(redis.call('HGET', claims[i], 'used')) or 0) == 0 then
        redis.call('DEL', claims[i])
      end
    end
  end
  redis.call('HDEL', OPEN, id)
  redis.call('ZREM', DUE, id)
  return true
end

local function expire()
  local due = redis.call('ZRANGEBYSCORE', DUE, '-inf', now)
  for _, id in ipairs(due) do
    give_back(id)
    redis.call('ZADD', LAPSED, now, id)
  end
  if #due > 0 then
    redis.call('ZREMRANGEBYSCORE', LAPSED, '-inf', now - DAY)
  end
end

local function once(name)
  return redis.call('SET', MARK .. name, 1, 'NX', 'PX', DAY) and true or false
end

-- An era ends when data is lost, all of it or the latest: a caller has heard of a later era, or of another one of the
-- same number, or of more calls than there were.
local function continue_era()
  local found = redis.call('HMGET', ERA, 'number', 'name')
  local calls = redis.call('HINCRBY', ERA, 'calls', 1)
  local number, heard = tonumber(found[1]) or -1, tonumber(ARGV[4])
  local same = number == heard and found[2] == ARGV[5]
  if number > heard or (same and calls > tonumber(ARGV[6])) then return number, found[2], calls end
  redis.call('HSET', ERA, 'number', heard + 1, 'name', ARGV[3])
  return heard + 1, ARGV[3], calls
end

local number, name, calls = continue_era()
local era = number .. ':' .. name

local function answer(refused)
  local told = {number, name, calls}
  for i = FIRST, #KEYS do
    local used, held = level(KEYS[i])
    told[#told + 1] = string.format('%.0f %.0f %d', used, held, refused and refused[i] or 0)
  end
  return table.concat(told, ' ')
end

-- Notes what was used of a counter when the era began; returns it.
local function base(key)
  local found = redis.call('HMGET', key, 'era', 'base', 'used')
  if found[1] == era then return tonumber(found[2]) end
  local used = tonumber(found[3]) or 0
  redis.call('HSET', key, 'era', era, 'base', used)
  return used
end

local function use(key, amount, keep)
  if amount > 0 then
    base(key)
    redis.call('HINCRBY', key, 'used', amount)
    redis.call('PEXPIRE', key, keep)
  end
end

-- Holds KEYS[i]'s amount, for each three of ARGV from the first on: amount, limit, milliseconds to keep the counter.
local function hold(id, expires, first)
  give_back(id)
  local claims = {}
  for i = FIRST, #KEYS do
    local at = first + (i - FIRST) * 3
    redis.call('HINCRBY', KEYS[i], 'held', ARGV[at])
    redis.call('PEXPIRE', KEYS[i], ARGV[at + 2])
    claims[#claims + 1] = KEYS[i]
    claims[#claims + 1] = tonumber(ARGV[at])
  end
  redis.call('HSET', OPEN, id, cmsgpack.pack(claims))
  redis.call('ZADD', DUE, expires, id)
end

local operations = {}

-- id, expires, then amount, limit, keep for each counter.
function operations.reserve()
  local id, former, refused, granted = ARGV[OWN], {}, {}, true
  local claims = claims_of(id) or {}
  for i = 1, #claims, 2 do former[claims[i]] = claims[i + 1] end
  for i = FIRST, #KEYS do
    local at = OWN + 2 + (i - FIRST) * 3
    local used, held = level(KEYS[i])
    local amount = tonumber(ARGV[at])
    local full = amount > 0 and used + held - (former[KEYS[i]] or 0) + amount > tonumber(ARGV[at + 1])
    refused[i] = full and 1 or 0
    granted = granted and not full
  end
  if granted then hold(id, ARGV[OWN + 1], OWN + 2) end
  return answer(refused)
end

-- As `reserve`, and last a name for this: holds it whether it fits in or not, once by that name.
function operations.hold()
  if once('hold:' .. ARGV[#ARGV]) then hold(ARGV[OWN], ARGV[OWN + 1], OWN + 2) end
  return answer()
end

-- id, and a name for this: gives back what is held, once by that name.
function operations.forget()
  if once('forget:' .. ARGV[OWN + 1]) then give_back(ARGV[OWN]) end
  return answer()
end

-- id, the era in which it was reserved, then the amount used and the milliseconds to keep for each counter.
function operations.settle()
  local id = ARGV[OWN]
  local counts = give_back(id)
  counts = redis.call('ZREM', LAPSED, id) == 1 or counts
  -- What was reserved in another era may not be known here: a mark tells whether it has been settled.
  if ARGV[OWN + 1] ~= era then counts = once('settle:' .. id) end
  for i = FIRST, counts and #KEYS or 0 do
    local at = OWN + 2 + (i - FIRST) * 2
    use(KEYS[i], tonumber(ARGV[at]), ARGV[at + 1])
  end
  return answer()
end

-- A name for these additions, then for each counter: the amount used, the least that had been used when the last era
-- ended, and the milliseconds to keep. Several replicas may restore the same: the highest counts.
function operations.add()
  local first = once('add:' .. ARGV[OWN])
  for i = FIRST, first and #KEYS or 0 do
    local at = OWN + 1 + (i - FIRST) * 3
    local lost, keep = tonumber(ARGV[at + 1]), ARGV[at + 2]
    local missing = lost - base(KEYS[i])
    if missing > 0 then redis.call('HSET', KEYS[i], 'base', lost) end
    use(KEYS[i], tonumber(ARGV[at]) + math.max(missing, 0), keep)
    redis.call('PEXPIRE', KEYS[i], keep)
  end
  return answer()
end

-- Pairs of id and expiry: those that are open expire later.
function operations.renew()
  for i = OWN, #ARGV, 2 do redis.call('ZADD', DUE, 'XX', ARGV[i + 1], ARGV[i]) end
  return answer()
end

function operations.look()
  return answer()
end

expire()
return operations[ARGV[1]]()
