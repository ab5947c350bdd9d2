-- One connection of a user appears or says something.
-- KEYS: the user's hash, the expiry set. ARGV: connection, device, status, has text, text, ttl ms, member,
-- ms the hash is kept; then, once they were looked up, mode, text and last seen of before.
-- Gives {now ms, fields before, fields after}; nothing when nothing is here of before.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('EXISTS', KEYS[1]) == 0 then
  if not ARGV[9] then return {} end
  redis.call('HSET', KEYS[1], 'mode', ARGV[9], 'text', ARGV[10])
  if ARGV[11] ~= '' then redis.call('HSET', KEYS[1], 'seen', ARGV[11]) end
end
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
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[8]))
return {now, before, redis.call('HGETALL', KEYS[1])}
