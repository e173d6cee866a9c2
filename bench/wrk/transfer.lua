-- POST /lab3/financial/transfer between random citizens.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local people = tonumber(os.getenv("CITIZENS") or "10000")
local path = os.getenv("BENCH_PATH") or "/lab3/financial/transfer"

function setup(thread)
   thread:set("seed", math.floor(os.time()) + tonumber(tostring(thread):match("0x(%x+)") or "1", 16) % 100000)
end

function init()
   math.randomseed(seed)
end

function request()
   local from = math.random(0, people - 1)
   local to = (from + math.random(1, people - 1)) % people
   local body = string.format('{"from_did": "did:kaizen:citizen-%07d", "to_did": "did:kaizen:citizen-%07d", "amount": 0.0125, "reason": "bench"}', from, to)
   return wrk.format(nil, path, nil, body)
end

function done(summary, latency)
   local errors = summary.errors.status + summary.errors.read + summary.errors.write + summary.errors.timeout + summary.errors.connect
   io.write(string.format("RESULT %.1f %d %d %d\n", summary.requests / summary.duration * 1e6, latency:percentile(50), latency:percentile(99), errors))
end
