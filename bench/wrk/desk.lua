-- POSTs for random citizens: transfers, or with BENCH_BODY=allocate allocations, to BENCH_PATH.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local people = tonumber(os.getenv("CITIZENS") or "10000")
local path = os.getenv("BENCH_PATH") or "/lab3/financial/transfer"
local allocate = '{"citizen_did": "did:kaizen:citizen-%07d", "query_tokens": 100, "priority": "standard", "min_quality": 0.80}'
local transfer = '{"from_did": "did:kaizen:citizen-%07d", "to_did": "did:kaizen:citizen-%07d", "amount": 0.0125, "reason": "bench"}'
local body = os.getenv("BENCH_BODY") == "allocate" and allocate or transfer

function init()
   math.randomseed(os.time())
end

function request()
   local from = math.random(0, people - 1)
   local to = (from + math.random(1, people - 1)) % people
   return wrk.format(nil, path, nil, string.format(body, from, to))
end

function done(summary, latency)
   local errors = summary.errors.status + summary.errors.read + summary.errors.write + summary.errors.timeout + summary.errors.connect
   io.write(string.format("RESULT %.1f %d %d %d\n", summary.requests / summary.duration * 1e6, latency:percentile(50), latency:percentile(99), errors))
end
