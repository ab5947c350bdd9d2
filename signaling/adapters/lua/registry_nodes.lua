-- The nodes alive. KEYS: the nodes by expiry, their infos. Gives {node, info, node, info ...}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local out = {}
for _, node in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', now), '+inf')) do
  out[#out + 1] = node
  out[#out + 1] = redis.call('HGET', KEYS[2], node) or '{}'
end
return out
