-- One connection of a user goes. KEYS: the user's hash, the expiry set. ARGV: connection, member.
-- Gives {now ms, fields before, fields after}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local before = redis.call('HGETALL', KEYS[1])
local gone = redis.call('HDEL', KEYS[1], 'c:' .. ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[2])
local fields = redis.call('HKEYS', KEYS[1])
local left = 0
for _, field in ipairs(fields) do
  if string.sub(field, 1, 2) == 'c:' then left = left + 1 end
end
if gone == 1 and left == 0 and redis.call('HGET', KEYS[1], 'mode') ~= 'invisible' then
  redis.call('HSET', KEYS[1], 'seen', now)
end
return {now, before, redis.call('HGETALL', KEYS[1])}
