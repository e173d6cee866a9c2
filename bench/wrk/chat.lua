-- POSTs BENCH_BODY to the chat completions, for a thousand citizens in turn.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local body, n = os.getenv("BENCH_BODY"), 0

function request()
   n = (n + 1) % 1000
   wrk.headers["x-citizen-did"] = string.format("did:kaizen:citizen-%04d", n)
   return wrk.format(nil, "/v1/chat/completions", nil, body)
end

function done(summary, latency)
   local errors = summary.errors.status + summary.errors.read + summary.errors.write + summary.errors.timeout + summary.errors.connect
   io.write(string.format("RESULT %.1f %d %d %d\n", summary.requests / summary.duration * 1e6, latency:percentile(50), latency:percentile(99), errors))
end
