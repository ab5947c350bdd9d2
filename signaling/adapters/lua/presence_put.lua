-- One connection of a user appears or says something.
-- KEYS: the user's hash, the expiry set. ARGV: connection, device, status, has text, text, ttl ms, member.
-- Gives {now ms, fields before, fields after}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local before = redis.call('HGETALL', KEYS[1])
local status = ARGV[3]
if status == 'invisible' and redis.call('HGET', KEYS[1], 'mode') ~= 'invisible' then
  for i = 1, #before, 2 do
    if string.sub(before[i], 1, 2) == 'c:' then
      redis.call('HSET', KEYS[1], 'seen', now)
      break
    end
  end
end
if status == 'online' or status == 'busy' or status == 'invisible' then
  redis.call('HSET', KEYS[1], 'mode', status)
end
if ARGV[4] == '1' then
  redis.call('HSET', KEYS[1], 'text', ARGV[5])
end
local expires = now + tonumber(ARGV[6])
local away = status == 'away' and '1' or '0'
redis.call('HSET', KEYS[1], 'c:' .. ARGV[1], ARGV[2] .. '\n' .. away .. '\n' .. string.format('%.0f', expires))
redis.call('ZADD', KEYS[2], expires, ARGV[7])
redis.call('PEXPIRE', KEYS[1], 2592000000)
return {now, before, redis.call('HGETALL', KEYS[1])}
