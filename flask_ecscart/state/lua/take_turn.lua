-- KEYS[1] turn, KEYS[2] lease; ARGV[1] holder, ARGV[2] spacing, ARGV[3] farthest, ARGV[4] how far ahead, in ms.
-- 0: taken; above: ms until it is due; -1: the lease is not the holder's.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return -1
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local spacing, farthest = tonumber(ARGV[2]), tonumber(ARGV[3])
local due = tonumber(redis.call('GET', KEYS[1]) or '')
local kept = 2 * farthest
if not due or due > now + farthest then
  -- Forgotten (a restart, or never taken), or written before the clock was set back: one may have been taken just now.
  due = now + spacing
  redis.call('SET', KEYS[1], string.format('%.0f', due), 'PX', kept)
end
if due > now + tonumber(ARGV[4]) then
  return due - now
end
redis.call('SET', KEYS[1], string.format('%.0f', math.max(due, now) + spacing), 'PX', kept)
return 0
