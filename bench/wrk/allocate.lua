-- POST /lab3/compute/allocate for random citizens.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local people = tonumber(os.getenv("CITIZENS") or "10000")
local path = os.getenv("BENCH_PATH") or "/lab3/compute/allocate"

function setup(thread)
   thread:set("seed", math.floor(os.time()) + tonumber(tostring(thread):match("0x(%x+)") or "1", 16) % 100000)
end

function init()
   math.randomseed(seed)
end

function request()
   local from = math.random(0, people - 1)
   local body = string.format('{"citizen_did": "did:kaizen:citizen-%07d", "query_tokens": 100, "priority": "standard", "min_quality": 0.80}', from)
   return wrk.format(nil, path, nil, body)
end

function done(summary, latency)
   local errors = summary.errors.status + summary.errors.read + summary.errors.write + summary.errors.timeout + summary.errors.connect
   io.write(string.format("RESULT %.1f %d %d %d\n", summary.requests / summary.duration * 1e6, latency:percentile(50), latency:percentile(99), errors))
end
