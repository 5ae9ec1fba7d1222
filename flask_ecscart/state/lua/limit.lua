-- KEYS[1] limit; ARGV[1] ms between two, ARGV[2] how many at once. 0: counted; above: ms until another is allowed.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local step = tonumber(ARGV[1])
local most = step * tonumber(ARGV[2])
local used = math.max(now, math.min(tonumber(redis.call('GET', KEYS[1]) or '0'), now + most)) + step
if used > now + most then
  return used - now - most
end
redis.call('SET', KEYS[1], string.format('%.0f', used), 'PX', string.format('%.0f', used - now))
return 0
