-- Give up one claim. KEYS: the claim, the node's set of claims. ARGV: node.
redis.call('SREM', KEYS[2], KEYS[1])
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
