-- A holder is alive, and says how many seats of each key it has and would have.
-- KEYS: the holders by expiry, then a hash for each key.
-- ARGV: holder, period ms, ms a key is kept, then held, wanted and limit for each.
-- Gives {whether the holder was known, how many it has now for each}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local me = ARGV[1]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local known = redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), me) == 0
local alive = {}
for _, holder in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do alive[holder] = true end
local out = {known and 1 or 0}
for i = 2, #KEYS do
  local at = 3 * (i - 2) + 3
  local held, wanted, free = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local said = redis.call('HGETALL', KEYS[i])
  for j = 1, #said, 2 do
    if not alive[said[j]] then
      redis.call('HDEL', KEYS[i], said[j])
    elseif said[j] ~= me then
      free = free - tonumber(said[j + 1])
    end
  end
  local granted = math.max(held, math.min(wanted, free))
  if granted > 0 then
    redis.call('HSET', KEYS[i], me, granted)
    redis.call('PEXPIRE', KEYS[i], tonumber(ARGV[3]))
  else
    redis.call('HDEL', KEYS[i], me)
  end
  out[i] = granted
end
return out
