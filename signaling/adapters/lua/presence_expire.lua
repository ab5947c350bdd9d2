-- Connections that ran out go. KEYS: the expiry set. ARGV: prefix of users' hashes, how many at most.
-- Gives {taken, app, user, app, user ...}: the users whose last connection went now.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local members = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, tonumber(ARGV[2]))
local out = {#members}
for _, member in ipairs(members) do
  redis.call('ZREM', KEYS[1], member)
  local app, user, connection = string.match(member, '^([^\n]*)\n([^\n]*)\n(.*)$')
  local key = ARGV[1] .. app .. ':' .. user
  if redis.call('HDEL', key, 'c:' .. connection) == 1 then
    local left = 0
    for _, field in ipairs(redis.call('HKEYS', key)) do
      if string.sub(field, 1, 2) == 'c:' then left = left + 1 end
    end
    if left == 0 then
      if redis.call('HGET', key, 'mode') ~= 'invisible' then
        redis.call('HSET', key, 'seen', now)
      end
      out[#out + 1] = app
      out[#out + 1] = user
    end
  end
end
return out
