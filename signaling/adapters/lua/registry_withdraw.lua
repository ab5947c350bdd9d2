-- A node leaves. KEYS: the nodes by expiry, their infos, the node's set of claims. ARGV: node.
for _, claim in ipairs(redis.call('SMEMBERS', KEYS[3])) do
  if redis.call('GET', claim) == ARGV[1] then redis.call('DEL', claim) end
end
redis.call('DEL', KEYS[3])
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
