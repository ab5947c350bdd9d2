-- Connections live on. KEYS: the expiry set, then a user's hash for each.
-- ARGV: ttl ms, ms a hash is kept, then connection and member for each. Unknown ones are passed over.
local time = redis.call('TIME')
local expires = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[1])
local text = string.format('%.0f', expires)
for i = 2, #KEYS do
  local connection, member = ARGV[i * 2 - 1], ARGV[i * 2]
  local entry = redis.call('HGET', KEYS[i], 'c:' .. connection)
  if entry then
    local kept = string.match(entry, '^(.*\n)%d+$')
    redis.call('HSET', KEYS[i], 'c:' .. connection, kept .. text)
    redis.call('ZADD', KEYS[1], expires, member)
    redis.call('PEXPIRE', KEYS[i], tonumber(ARGV[2]))
  end
end
return #KEYS - 1
