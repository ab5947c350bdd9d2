-- Who holds a room: the asker, when nobody does or it is theirs already.
-- KEYS: the claim, the asker's set of claims. ARGV: node, period ms.
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  local holder = redis.call('GET', KEYS[1])
  if holder ~= ARGV[1] then return holder end
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
redis.call('SADD', KEYS[2], KEYS[1])
redis.call('PEXPIRE', KEYS[2], tonumber(ARGV[2]) * 6)
return ARGV[1]
