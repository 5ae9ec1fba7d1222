-- KEYS[1] turn; ARGV[1] ms until it is due, ARGV[2] ms it is remembered.
local time = redis.call('TIME')
local due = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[1])
redis.call('SET', KEYS[1], string.format('%.0f', due), 'PX', ARGV[2])
return 1
