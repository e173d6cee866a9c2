//! The pages about error codes: what happened, an example, what helps. The same text in the manual, in the API, on the terminal.
