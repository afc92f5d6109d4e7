"""The script by which Redis keeps an answer: one step, so that what is counted is what is there."""

from __future__ import annotations

from typing import Final

#: KEYS: the sorted set of keys by expiry, the hash of their facts (size, bucket, id in its stream), the sum of bytes.
#: ARGV: prefix, key, value, its time in milliseconds, its size, the most bytes, the most questions of a bucket; then
#: bucket (empty for none), vector, text, expiry.
#:
#: What the key had before goes first, then what has expired, then what expires soonest, until there is room. All keys
#: expire with the last of what they tell of.
PUT: Final = """
local by_expiry, facts, total = KEYS[1], KEYS[2], KEYS[3]
local prefix, key, value = ARGV[1], ARGV[2], ARGV[3]
local ttl, size, most = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local bucket = ARGV[8]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function forget(one)
  local known = redis.call('HGET', facts, one)
  if known then
    local held, within, at = string.match(known, '^(%d+) (%x*) ([%d-]*)$')
    redis.call('DECRBY', total, held)
    redis.call('HDEL', facts, one)
    if within ~= '' then
      redis.call('XDEL', prefix .. 'near:' .. within, at)
      if redis.call('XLEN', prefix .. 'near:' .. within) == 0 then
        redis.call('DEL', prefix .. 'near:' .. within)
      end
    end
  end
  redis.call('ZREM', by_expiry, one)
  redis.call('DEL', prefix .. 'answer:' .. one)
end

local function lasts(name)
  if redis.call('PTTL', name) < ttl then
    redis.call('PEXPIRE', name, ttl)
  end
end

forget(key)
for _, one in ipairs(redis.call('ZRANGEBYSCORE', by_expiry, '-inf', now, 'LIMIT', 0, 100)) do
  forget(one)
end
while tonumber(redis.call('GET', total) or '0') + size > most do
  local soonest = redis.call('ZRANGE', by_expiry, 0, 0)
  if #soonest == 0 then
    redis.call('DEL', total, facts)
    break
  end
  forget(soonest[1])
end

local at = ''
if bucket ~= '' then
  local stream = prefix .. 'near:' .. bucket
  at = redis.call('XADD', stream, 'MAXLEN', ARGV[7], '*',
    'key', key, 'vector', ARGV[9], 'text', ARGV[10], 'expires', ARGV[11])
  lasts(stream)
end
redis.call('SET', prefix .. 'answer:' .. key, value, 'PX', ttl)
redis.call('ZADD', by_expiry, now + ttl, key)
redis.call('HSET', facts, key, size .. ' ' .. bucket .. ' ' .. at)
redis.call('INCRBY', total, size)
lasts(by_expiry)
lasts(facts)
lasts(total)
return 1
"""
