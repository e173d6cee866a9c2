//! Usage as OpenAI's dialects tell it, in the ways their servers do.
//!
//! What was cached or written to the cache is part of `prompt_tokens` (`input_tokens` in Responses), thoughts are part of
//! `completion_tokens` (`output_tokens`). Servers that do not count thoughts there (xAI, Gemini) count them in `total_tokens`.

use lab3_compute::Usage;
use serde::Serialize;
use serde_json::Value;

/// Reads a usage object; `None` when it does not tell both sides.
pub(crate) fn read(text: &str) -> Option<Usage> {
    let usage: Value = serde_json::from_str(text).ok()?;
    let first = |paths: &[&str]| paths.iter().find_map(|path| count(usage.pointer(path)?));
    let total = first(&["/total_tokens"]);
    // llama.cpp's timings: what was evaluated and what was in its cache make up the query.
    let timed = first(&["/prompt_n"]).map(|evaluated| evaluated.saturating_add(first(&["/cache_n"]).unwrap_or(0)));
    let sides =
        (first(&["/prompt_tokens", "/input_tokens"]).or(timed), first(&["/completion_tokens", "/output_tokens", "/predicted_n"]), total);
    let (prompt, completion) = match sides {
        (Some(prompt), Some(completion), _) => (prompt, completion),
        (Some(prompt), None, Some(total)) => (prompt, total.saturating_sub(prompt)),
        (None, Some(completion), Some(total)) => (total.saturating_sub(completion), completion),
        _ => return None,
    };
    // The details of either dialect; the writing of OpenAI's twelve hours is priced as the longer of two.
    let detail = |side: &[&str], name: &str| side.iter().find_map(|side| count(usage.pointer(&format!("/{side}_details/{name}"))?));
    let (query, answer) = (["prompt_tokens", "input_tokens"], ["completion_tokens", "output_tokens"]);
    let thought = detail(&answer, "reasoning_tokens").or_else(|| first(&["/reasoning_tokens"]));
    // Perplexity's research reads and thinks beside both sides, and outside of the total; more thoughts than answer are no part of it.
    let found = first(&["/citation_tokens"]);
    let is_apart = found.is_some() || (total.is_none() && thought > Some(completion));
    let prompt = prompt.saturating_add(found.unwrap_or(0));
    let counted = completion.saturating_add(thought.filter(|_| is_apart).unwrap_or(0));
    let uncounted = total.unwrap_or(0).saturating_sub(prompt.saturating_add(counted));
    let output = counted.saturating_add(uncounted);
    let cached = detail(&query, "cached_tokens").or_else(|| first(&["/prompt_cache_hit_tokens", "/cached_tokens", "/cache_n"]));
    let cached = cached.unwrap_or(0).min(prompt);
    // LiteLLM has Anthropic's words for the writing, at first beside the counts.
    let written =
        detail(&query, "cache_write_tokens").or_else(|| first(&["/cache_creation_input_tokens"])).unwrap_or(0).min(prompt - cached);
    let written_long = detail(&query, "cache_write_tokens_details/ttl_12h_tokens")
        .or_else(|| detail(&query, "cache_creation_token_details/ephemeral_1h_input_tokens"));
    let written_long = written_long.unwrap_or(0).min(written);
    Some(Usage {
        input: prompt - cached - written,
        cache_read: cached,
        cache_write_5m: written - written_long,
        cache_write_1h: written_long,
        output,
        reasoning: thought.unwrap_or(uncounted).min(output),
        tool_runs: runs(&usage),
    })
}

/// Runs of the provider's tools: xAI counts sources and tools, Perplexity searches, OpenRouter runs. Perplexity's smaller models search
/// once for each query and tell only how much they searched.
fn runs(usage: &Value) -> u64 {
    let paths = ["/num_sources_used", "/num_server_side_tools_used", "/num_search_queries", "/server_tool_use/web_search_requests"];
    let counted = paths.iter().filter_map(|path| count(usage.pointer(path)?)).reduce(u64::saturating_add);
    counted.unwrap_or_else(|| usage.get("search_context_size").is_some_and(Value::is_string).into())
}

/// A count; some servers write 12.0.
pub(crate) fn count(value: &Value) -> Option<u64> {
    let number = value.as_number()?;
    number.as_u64().or_else(|| number.to_string().strip_suffix(".0")?.parse().ok())
}

/// Usage as clients read it.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
    completion_tokens_details: CompletionDetails,
}

#[derive(Debug, Serialize)]
struct PromptDetails {
    cached_tokens: u64,
    cache_write_tokens: u64,
}

#[derive(Debug, Serialize)]
struct CompletionDetails {
    reasoning_tokens: u64,
}

impl From<&Usage> for Told {
    fn from(usage: &Usage) -> Self {
        let prompt = usage.query_tokens();
        Self {
            prompt_tokens: prompt,
            completion_tokens: usage.output,
            total_tokens: prompt.saturating_add(usage.output),
            prompt_tokens_details: PromptDetails {
                cached_tokens: usage.cache_read,
                cache_write_tokens: usage.cache_write_5m.saturating_add(usage.cache_write_1h),
            },
            completion_tokens_details: CompletionDetails { reasoning_tokens: usage.reasoning },
        }
    }
}
