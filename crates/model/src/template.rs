//! The chat template: the GGUF file's own, in Jinja, as the model was trained with it.

use minijinja::{Environment, Error, ErrorKind, context};
use serde::Serialize;

/// Most work a template may do, in instructions of its interpreter: some hundred a turn are usual.
const FUEL: u64 = 10_000_000;

/// One turn, as templates know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Turn {
    /// `system`, `user` or `assistant`.
    pub role: &'static str,
    /// What is said.
    pub content: String,
}

/// A chat template.
pub(crate) struct Template {
    environment: Environment<'static>,
    source: String,
    first: String,
    last: String,
}

impl Template {
    /// A template that knows the names of the tokens a text begins and ends with. `Err` when it is not Jinja.
    pub(crate) fn new(source: &str, first: &str, last: &str) -> Result<Self, Error> {
        let mut environment = Environment::new();
        // What the models' makers expect: Hugging Face's settings and the methods of Python's strings and lists.
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", |message: String| -> Result<String, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, message))
        });
        environment.set_fuel(Some(FUEL));
        environment.template_from_str(source)?;
        Ok(Self { environment, source: source.to_owned(), first: first.to_owned(), last: last.to_owned() })
    }

    /// The conversation as the model was trained to read it, up to where its answer begins.
    pub(crate) fn render(&self, turns: &[Turn]) -> Result<String, Error> {
        let context = context! { messages => turns, add_generation_prompt => true, bos_token => self.first, eos_token => self.last };
        self.environment.template_from_str(&self.source)?.render(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMOLLM2: &str = "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
    const LLAMA3: &str = "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}";
    const LLAMA2: &str = "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}";

    fn check(source: &str, turns: &[(&'static str, &str)], expected: &str) {
        let turns = turns.iter().map(|(role, content)| Turn { role, content: (*content).to_owned() }).collect::<Vec<_>>();
        assert_eq!(Template::new(source, "<s>", "</s>").unwrap().render(&turns).unwrap(), expected);
    }

    #[test]
    fn templates_of_the_family_render() {
        let talk = [("user", "Hi <b>&\" "), ("assistant", "Ho"), ("user", "x")];
        check(
            SMOLLM2,
            &talk,
            "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n<|im_start|>user\nHi <b>&\" \
             <|im_end|>\n<|im_start|>assistant\nHo<|im_end|>\n<|im_start|>user\nx<|im_end|>\n<|im_start|>assistant\n",
        );
        check(
            SMOLLM2,
            &[("system", "Be brief."), ("user", "x")],
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nx<|im_end|>\n<|im_start|>assistant\n",
        );
        check(
            LLAMA3,
            &talk,
            "<s><|start_header_id|>user<|end_header_id|>\n\nHi <b>&\"<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nHo<|eot_id|>\
             <|start_header_id|>user<|end_header_id|>\n\nx<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        );
        check(LLAMA2, &talk, "<s>[INST] Hi <b>&\" [/INST] Ho </s><s>[INST] x [/INST]");
    }

    #[test]
    fn a_template_may_refuse_and_may_not_run_for_ever() {
        let turns = [Turn { role: "assistant", content: "x".to_owned() }];
        let refused = Template::new(LLAMA2, "", "").unwrap().render(&turns).unwrap_err();
        assert!(refused.to_string().contains("must alternate"), "{refused}");
        let endless = "{% for a in range(9999) %}{% for b in range(9999) %}{{ b }}{% endfor %}{% endfor %}";
        assert!(Template::new(endless, "", "").unwrap().render(&turns).is_err());
        assert!(Template::new("{% for %}", "", "").is_err());
    }
}
