//! Anthropic's Messages API.

mod adapt;
mod read;
mod reply;
mod request;
mod stream;

use lab3_providers::dialect::Terms;

fn terms(model: &str) -> Terms {
    Terms { model: model.to_owned(), output_tokens_max: 4096 }
}
