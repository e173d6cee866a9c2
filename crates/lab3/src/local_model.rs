//! The local model: whose it is, which file it is, and what is honest to say of it.

use std::path::{Path, PathBuf};

use lab3_model::LocalSource;
use lab3_units::Ratio;

use crate::config::{Kind, Provider, Settings};

/// The provider that takes the model in the data folder.
const LOCAL: &str = "local_llama";

/// The quality of a model we run, as long as the operator has not measured it: what five public tests of SmolLM2-135M-Instruct give on
/// average, guessing taken out (docs/adr/0006-local-model.md).
const QUALITY_PRIOR: Ratio = Ratio::from_millionths(200_000);

/// Whether the desk runs this provider's model itself. It does not where the provider has a URL, or speaks nothing at all.
pub fn is_ours(provider: &Provider) -> bool {
    let is_named = provider.gguf.is_some() || (provider.name == LOCAL && provider.kind != Kind::None);
    is_named && provider.base_url.0.is_empty()
}

/// The provider's model file: the one configured, or the first in the data folder.
pub fn file(settings: &Settings, provider: &Provider) -> Option<PathBuf> {
    if !is_ours(provider) {
        return None;
    }
    provider.gguf.clone().or_else(|| first_of(&folder(settings)))
}

/// The provider as the operator stated it, but for what its model is known to fall short of.
pub fn as_it_is(settings: &Settings, provider: &Provider) -> (Ratio, u64) {
    match file(settings, provider) {
        Some(_) => {
            let quality = if provider.quality_is_stated { provider.quality } else { QUALITY_PRIOR };
            (quality, provider.context_tokens_max.min(lab3_model::CONTEXT_TOKENS_MAX))
        }
        None => (provider.quality, provider.context_tokens_max),
    }
}

/// The source of a provider the desk runs itself, and its models: those configured, and the file's own name.
pub fn source(settings: &Settings, provider: &Provider) -> (LocalSource, Vec<String>) {
    let mut models = provider.models.0.clone();
    let Some(file) = file(settings, provider) else {
        let help = format!(
            "there is no model for it: put a GGUF file into {} (`make run` fetches one) or name it by providers.{name}.gguf, or set \
             providers.{name}.base_url to a server's, and start the desk again",
            folder(settings).display(),
            name = provider.name,
        );
        tracing::info!(provider = provider.name, "unavailable: {help}");
        return (LocalSource::none(help), models);
    };
    models.extend(file.file_stem().map(|name| name.to_string_lossy().into_owned()));
    tracing::info!(provider = provider.name, file = %file.display(), "loading the local model");
    (LocalSource::load(file), models)
}

fn folder(settings: &Settings) -> PathBuf {
    settings.data.dir.join("models")
}

/// The first GGUF file by name.
fn first_of(folder: &Path) -> Option<PathBuf> {
    let files = std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    files.filter(|path| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gguf")) && path.is_file()).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Flag, Layers, resolve};

    fn settings(flags: &[(&str, &str)]) -> Settings {
        let flag = |&(path, text): &(&str, &str)| Flag { name: "--set".to_owned(), path: path.to_owned(), text: text.to_owned() };
        resolve(&Layers { flags: flags.iter().map(flag).collect(), ..Layers::default() }).unwrap().settings
    }

    fn local(settings: &Settings) -> &Provider {
        settings.providers.iter().find(|provider| provider.name == LOCAL).unwrap()
    }

    /// The file chosen with these keys set and `b.gguf` and `a.GGUF` in the data folder, the quality and the context then stated.
    fn check(flags: &[(&str, &str)], expected: Option<&str>, quality: &str, context_tokens_max: u64) {
        let folder = std::env::temp_dir().join(format!("lab3-models-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(folder.join("models").join("0.gguf")).unwrap();
        for name in ["b.gguf", "a.GGUF", "0.txt"] {
            std::fs::write(folder.join("models").join(name), "").unwrap();
        }
        let settings = settings(&[flags, &[("data.dir", folder.to_str().unwrap())]].concat());
        let chosen = file(&settings, local(&settings)).map(|path| path.file_name().unwrap().to_str().unwrap().to_owned());
        let stated = as_it_is(&settings, local(&settings));
        std::fs::remove_dir_all(folder).unwrap();
        assert_eq!((chosen.as_deref(), stated.0.to_string().as_str(), stated.1), (expected, quality, context_tokens_max), "{flags:?}");
    }

    #[test]
    fn the_model_is_the_one_configured_or_the_first_in_the_data_folder() {
        check(&[], Some("a.GGUF"), "0.20", 4096);
        check(&[("providers.local_llama.gguf", "/elsewhere/x.gguf")], Some("x.gguf"), "0.20", 4096);
        check(&[("providers.local_llama.quality", "0.70")], Some("a.GGUF"), "0.70", 4096);
        check(&[("providers.local_llama.quality", "0.8")], Some("a.GGUF"), "0.20", 4096);
        check(&[("providers.local_llama.context_tokens_max", "100")], Some("a.GGUF"), "0.20", 100);
        let url = ("providers.local_llama.base_url", "http://127.0.0.1:11434/v1");
        check(&[url], None, "0.80", 32_000);
        check(&[url, ("providers.local_llama.gguf", "/elsewhere/x.gguf")], None, "0.80", 32_000);
        check(&[("providers.local_llama.kind", "none")], None, "0.80", 32_000);
    }

    #[test]
    fn only_the_local_model_and_who_has_a_file_are_ours() {
        let settings = settings(&[("providers.deepseek.gguf", "/x.gguf"), ("providers.deepseek.base_url", "")]);
        let ours = settings.providers.iter().filter(|provider| is_ours(provider)).map(|provider| &*provider.name);
        assert_eq!(ours.collect::<Vec<_>>(), ["deepseek", "local_llama"]);
    }
}
