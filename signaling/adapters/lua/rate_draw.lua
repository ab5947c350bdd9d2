-- Take up to so many tokens from a bucket that all nodes share, in steps of whole tokens.
-- KEYS: the bucket. ARGV: tokens per second, burst, most.
-- Gives how many were taken, in how many ms there will be one when none was, and how many are left.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local rate, burst, most = tonumber(ARGV[1]) / 1000, tonumber(ARGV[2]), tonumber(ARGV[3])
local kept = redis.call('HMGET', KEYS[1], 'left', 'at')
local left = burst
if kept[1] then
  left = math.min(burst, tonumber(kept[1]) + math.max(0, now - tonumber(kept[2])) * rate)
end
local taken = math.min(most, math.floor(left))
redis.call('HSET', KEYS[1], 'left', tostring(left - taken), 'at', now)
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate) + 1000)
if taken > 0 then return {taken, 0, math.floor(left - taken)} end
return {0, math.ceil((1 - left) / rate), 0}
